/**
 * `env.abort`, which AssemblyScript calls where a program throws: without it, the author would read "unreachable" in place of
 * the message. Made by guest-host.ts.
 */
import { LIMITS } from "../../../base/limits.ts";
import { HostFault } from "./guest-errors.ts";
import type { Offer } from "./link.ts";

/** `memory` is the module's own, once it is there. */
export function assemblyScriptOffers(
  memory: () => WebAssembly.Memory | undefined,
): Readonly<Record<string, Offer>> {
  return {
    abort: {
      type: "iiii>",
      run(message: number, file: number, line: number, column: number) {
        const text = stringAt(memory(), message) ?? "abort";
        const place = stringAt(memory(), file);
        throw new HostFault(place === undefined ? text : `${text} (${place}:${line}:${column})`);
      },
    },
  };
}

// --- internal ---

/** A string is UTF-16, and four bytes before it say how many bytes it has. What is none, or empty, is undefined. */
function stringAt(memory: WebAssembly.Memory | undefined, pointer: number): string | undefined {
  if (memory === undefined || pointer < 4 || pointer > memory.buffer.byteLength) return undefined;
  const size = new DataView(memory.buffer).getUint32(pointer - 4, true);
  if (size === 0 || size > memory.buffer.byteLength - pointer) return undefined;
  const bytes = new Uint8Array(memory.buffer, pointer, Math.min(size, 2 * LIMITS.errorTextChars) & ~1);
  return new TextDecoder("utf-16le").decode(bytes);
}
