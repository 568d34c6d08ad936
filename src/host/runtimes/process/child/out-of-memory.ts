/**
 * How the engine says that it gets no more memory: it throws. A plugin may catch that; where nobody does, it had all that it may
 * have. Used by js-guest.ts and wasm-main.ts.
 */
import { LIMITS } from "../../../../base/limits.ts";
import { formatBytes } from "../../../../base/text.ts";

export function isOutOfMemory(error: unknown): boolean {
  return error instanceof RangeError && error.message === MESSAGE;
}

/** The same in an answer's body, as the prelude writes what was thrown (describe.ts). */
export function saysOutOfMemory(body: string): boolean {
  return body.includes(THROWN);
}

/** How much it may have. */
export const MEMORY_WORDS: string = formatBytes(LIMITS.processMemoryBytes);

// --- internal ---

const MESSAGE = "Out of memory";
const THROWN = `"thrown":{"name":"RangeError","message":"${MESSAGE}",`;
