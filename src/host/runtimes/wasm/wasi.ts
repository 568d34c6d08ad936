/**
 * WASI preview 1 without any authority: no folder, no environment, an empty stdin; stdout and stderr go to the plugin's log.
 * The shim does the bookkeeping; what it leaves out or does without bounds is ours. A pointer that leads out of the module's
 * memory is a HostFault. Made by guest-host.ts, anew for each instance.
 */
import { WASI, WASIProcExit } from "@bjorn3/browser_wasi_shim";
import type { LogLevel } from "../../../base/log.ts";
import { HostFault } from "./guest-errors.ts";
import type { HostFunction, Offer } from "./link.ts";
import { makeLineWriter } from "./line-writer.ts";
import { WASI_SIGNATURES } from "./wasi-signatures.ts";
import { makeWasiOwn } from "./wasi-own.ts";
import { makeStandardStreams } from "./wasi-streams.ts";

export interface Wasi {
  readonly offers: Readonly<Record<string, Offer>>;
  /** Gives it the module's memory; until then every call of WASI is a fault. */
  connect(memory: WebAssembly.Memory): void;
  /** Logs what was written without an end of line. */
  flush(): void;
}

export function makeWasi(plugin: string, log: (level: LogLevel, text: string) => void): Wasi {
  const out = makeLineWriter((line) => log("info", line));
  const err = makeLineWriter((line) => log("warn", line));
  const shim = new WASI([plugin], [], makeStandardStreams(), { debug: false });
  let memory: WebAssembly.Memory | undefined;

  function connected(name: string): WebAssembly.Memory {
    if (memory !== undefined) return memory;
    throw new HostFault(
      `${name} of WASI was called before the module was there; do in _initialize what its start function does`,
    );
  }

  const own = makeWasiOwn({
    memory: () => connected("WASI"),
    isOpen: (fd) => shim.fds[fd] !== undefined,
    write: (fd, bytes) => (fd === 1 ? out : err).write(bytes),
  });

  function guarded(name: string): HostFunction {
    const run = own[name] ?? shim.wasiImport[name];
    if (run === undefined) throw new Error(`the shim has no ${name}`);
    return (...args: never[]) => {
      connected(name);
      try {
        return (run(...args) as number | undefined) ?? 0;
      } catch (error) {
        if (error instanceof HostFault || error instanceof WASIProcExit) throw error;
        throw new HostFault(
          `${name} of WASI was given a pointer or a length that leads out of the module's memory`,
        );
      }
    };
  }

  return {
    offers: Object.fromEntries(
      Object.entries(WASI_SIGNATURES).map(([name, type]) => [name, { type, run: guarded(name) }]),
    ),
    connect(found) {
      memory = found;
      shim.inst = { exports: { memory: found } };
    },
    flush() {
      out.flush();
      err.flush();
    },
  };
}
