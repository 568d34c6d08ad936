/**
 * Says in plain words why a call into a module ended by a throw: a trap of the engine, an exit, a fault of a host function.
 * Called by wasm-instance.ts.
 */
import { WASIProcExit } from "@bjorn3/browser_wasi_shim";
import { messageOf } from "../../../base/errors.ts";
import { LIMITS } from "../../../base/limits.ts";
import { formatBytes } from "../../../base/text.ts";
import { GuestThrown, HostFault } from "./guest-errors.ts";

/** `said` is what the module gave to `error_set` before: then those are the words. */
export function thrownBy(error: unknown, memory?: WebAssembly.Memory, said?: string): GuestThrown {
  const stack = wasmStack(error);
  if (said !== undefined && said.trim() !== "")
    return new GuestThrown(`${said}${memoryNote(memory)}`, { stack });
  if (error instanceof WASIProcExit) {
    const words = `the module ended itself with exit(${error.code}); what it wrote before is in the plugin's log`;
    return new GuestThrown(`${words}${memoryNote(memory)}`, { stack });
  }
  if (error instanceof HostFault) return new GuestThrown(error.message, { stack });
  if (isException(error))
    return new GuestThrown("the module threw an exception that nothing in it caught", { stack });
  const message = messageOf(error).replace(EVALUATING, "");
  const trap = TRAPS.find(([sign]) => message.includes(sign));
  if (trap === undefined) return new GuestThrown(message, { stack });
  const note = trap === TRAPS[0] ? memoryNote(memory) : "";
  return new GuestThrown(`${trap[1]}${note}`, { name: "Trap", stack });
}

// --- internal ---

/** What JavaScriptCore appends: the host's own source text. */
const EVALUATING = / \(evaluating '.*'\)$/s;

const TRAPS: readonly (readonly [sign: string, words: string])[] = [
  ["Unreachable code", 'it ran into "unreachable", which is how most languages panic or abort'],
  ["Maximum call stack size", "its stack overflowed: it called itself too deeply"],
  ["Out of bounds memory access", "it read or wrote outside its memory"],
  ["Out of bounds call_indirect", "it called a function through a table, beyond the table's end"],
  ["call_indirect to", "it called a function through a table that is not there or has another type"],
  ["Out of bounds table access", "it went beyond the end of one of its tables"],
  ["Division by zero", "it divided by zero"],
  ["Integer overflow", "a division had a result that is too large"],
  ["Out of bounds Trunc", "it turned a number into an integer that can't hold it"],
  ["Invalid data segment", "its initial data does not fit into its memory"],
  ["Out of memory", "the engine had no memory left for it"],
];

function isException(error: unknown): boolean {
  return typeof WebAssembly.Exception === "function" && error instanceof WebAssembly.Exception;
}

/** A module that gets no more memory mostly panics, and says nothing of the reason. */
function memoryNote(memory: WebAssembly.Memory | undefined): string {
  const cap = LIMITS.guestMemoryPages * 65_536;
  const size = memory?.buffer.byteLength ?? 0;
  return size < cap / 2
    ? ""
    : `; it had ${formatBytes(size)} of memory, and gets at most ${formatBytes(cap)}`;
}

/**
 * The module's functions that were running, innermost first. The engine's own text of a stack leaves their names out; they
 * are there when it is asked for the frames.
 */
function wasmStack(error: unknown): string {
  if (!(error instanceof Error)) return "";
  const before = Object.getOwnPropertyDescriptor(Error, "prepareStackTrace");
  Error.prepareStackTrace = (_, frames: readonly NodeJS.CallSite[]) =>
    frames.map((frame) => frame.getFunctionName() ?? "").join("\n");
  try {
    const names = String(error.stack).match(/(?<=^\.wasm-function\[).*(?=\]$)/gm) ?? [];
    return names.map((name) => (/^\d+$/.test(name) ? `function ${name}` : name)).join("\n");
  } finally {
    if (before === undefined) Reflect.deleteProperty(Error, "prepareStackTrace");
    else Object.defineProperty(Error, "prepareStackTrace", before);
  }
}
