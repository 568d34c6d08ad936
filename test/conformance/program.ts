/**
 * What the conformance plugins understand. An event's `message` is a program: a command a line. Each line has an answer in JSON; a
 * program of one line answers with it, a longer one with the list of all. The same interpreter is written in TypeScript
 * (plugin.ts), AssemblyScript, C, Rust and Go (test/wasm).
 *
 *     echo                  the whole event                    nothing               no answer at all
 *     length                bytes of the event's JSON          hook                  which hook was called
 *     say TEXT              the text                           raw JSON              the JSON, as it is written
 *     big N                 a text of N characters             count                 how often it was said to this guest
 *     deep N, wide N        N lists in each other, N zeros     config KEY            the setting, null where there is none
 *     throw TEXT            fails with the text                log LEVEL TEXT        a line of its log
 *     call METHOD JSON      asks the broker; `{"result": …}` or `{"error": {"code", "message", …}}`
 *     repeat N METHOD JSON  asks N times, one after the other; the last answer
 *     store N               kv.set with a value of N characters
 *     var get|set|remove    Extism's variables (WASM)
 *     loop, recurse, trap   without an end; a trap only WASM has
 *     grow N                takes N MiB and touches them
 *
 * Some have more, each named in the scenarios that use it.
 */
import type { HookName } from "../../src/sdk/index.ts";

/** An event whose program is `message`. What else is to be in it comes last, so that a plugin may look for the message from the start. */
export function eventOf(hook: HookName, message: string, payload?: unknown): Record<string, unknown> {
  return {
    id: ID,
    hook,
    at: AT,
    message,
    name: "conformance",
    ...(payload === undefined ? {} : { payload }),
  };
}

/** Of every kind that a manifest's `[config]` may have. */
export const CONFIG = {
  text: "ops",
  unicode: "Grüße, 世界 🚀",
  empty: "",
  whole: 42,
  decimal: -2.5,
  yes: true,
  list: ["one", "two"],
} as const;

export const PLUGIN = { name: "conformance", version: "1.2.3" } as const;

// --- internal ---

const ID = "019b76da-a800-7000-8000-000000000001";
const AT = "2026-01-01T00:00:00.000Z";
