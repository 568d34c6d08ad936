/**
 * Starts a process of this program on a system that has no confinement at all, with the same handle as a confined one: a socket, an
 * end, and no environment. For the bundler alone, which runs no plugin's code; nothing bounds its memory. Linux never comes here.
 */
import { fail } from "../base/errors.ts";
import type { ProcessEnd, StartConfined } from "./confine/confined-process.ts";
import { selfCommand } from "./self.ts";

/** Throws `confinement.unavailable` where confinement is asked for. */
export function makeStartUnconfined(
  command: (...role: readonly string[]) => readonly string[] = selfCommand,
): StartConfined {
  return ({ role, confined }) => {
    if (confined) throw fail("confinement.unavailable", "this system can't confine processes");
    const child = Bun.spawn([...command(...role)], {
      cwd: "/",
      env: {},
      stdio: ["ignore", "ignore", "ignore", "pipe"],
    });
    return {
      pid: child.pid,
      descriptor: child.stdio[LINK] as unknown as number,
      ended: child.exited.then((status): ProcessEnd =>
        child.signalCode === null
          ? { kind: "status", status }
          : { kind: "signal", signal: String(child.signalCode) },
      ),
      kill: () => child.kill("SIGKILL"),
      cpuMs: () => undefined,
    };
  };
}

// --- internal ---

/** The child's descriptor of the socket pair; 0 to 2 come before it. */
const LINK = 3;
