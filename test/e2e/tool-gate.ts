/**
 * Stands in front of the container tools on a machine's PATH and holds one of their commands: before it begins, or when it is done and
 * before its end is known. So a daemon can be killed while its provider's plugin is in the middle. What is not held is the tool itself.
 */
import { chmodSync, existsSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { until } from "../harness.ts";
import type { Machine } from "./machine.ts";

export interface ToolGate {
  /** For the daemon's start: its PATH. */
  readonly environment: Readonly<Record<string, string>>;
  /** `command`: how the command line begins, such as `podman start`. Lets go of what was held before. */
  hold(command: string, moment: "before" | "after"): { reached(): Promise<void> };
  release(): void;
}

export function openToolGate(machine: Machine, tools: readonly string[]): ToolGate {
  const folder = machine.write("tools", {});
  const path = (name: string): string => join(machine.folder, name);
  for (const tool of tools) {
    const real = Bun.which(tool);
    if (real === null) throw new Error(`${tool} is not there`);
    const wrapper = machine.write("tools", { [tool]: wrapperOf(tool, real, path("tool")) });
    chmodSync(join(wrapper, tool), 0o755);
  }
  return {
    environment: { PATH: `${folder}:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin` },
    hold(command, moment) {
      rmSync(path("tool-reached"), { force: true });
      writeFileSync(path(`tool-${moment}`), command);
      const reached = (): boolean => existsSync(path("tool-reached"));
      return {
        reached: async () =>
          void (await until(reached, { timeoutMs: 20_000, what: `${command} to be held` })),
      };
    },
    release() {
      for (const moment of ["before", "after"]) rmSync(path(`tool-${moment}`), { force: true });
    },
  };
}

// --- internal ---

/** A line is held that begins with what the file says. Any other runs in the wrapper's place: it may run for long. */
function wrapperOf(tool: string, real: string, files: string): string {
  return `#!/bin/sh
line="${tool} $*"
fits() {
  command=$(cat "${files}-$1" 2>/dev/null) || return 1
  case "$line " in "$command "*) ;; *) return 1 ;; esac
}
wait_while_held() {
  while fits "$1"; do : > "${files}-reached"; sleep 0.05; done
}
wait_while_held before
fits after || exec "${real}" "$@"
"${real}" "$@"
status=$?
wait_while_held after
exit $status
`;
}
