/** Texts that programs stumble over, and events made of them. Pure. Called by the checks of hooks and of providers. */
import type { HookName } from "../../sdk/index.ts";

/** In one line: not everything that takes a text takes a second line. Scripts, accents that are two characters, what lies beyond 16 bits, quotes, what a shell or a template would take for its own, ends of lines. */
export const UNUSUAL_LINE =
  "grüße e\u0301 世界 🚀 العربية \"double\" 'single' $HOME `id` %s \\n {{x}} <b>&amp;";

export const UNUSUAL_TEXT = `${UNUSUAL_LINE}\nsecond line`;

/** An event as it is, with unusual values in those of its texts that anybody may have written, and fields of a later version. */
export function unusualEvent(
  hook: HookName,
  event: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const texts = Object.keys(event).filter((key) => FREE_TEXTS.has(key));
  return {
    ...event,
    ...Object.fromEntries(texts.map((key) => [key, UNUSUAL_TEXT])),
    ...("env" in event ? { env: { UNUSUAL: UNUSUAL_TEXT, EMPTY: "", LONG: "x".repeat(LONG_CHARS) } } : {}),
    ...("domains" in event
      ? { domains: Array.from({ length: MANY }, (_, at) => `host-${at}.example.com`) }
      : {}),
    hook,
    later_version: { text: UNUSUAL_TEXT, list: [1, null, true], number: 1e21 },
  };
}

// --- internal ---

/** What an operator, or a program that failed, may have written; names of things have fewer characters. */
const FREE_TEXTS: ReadonlySet<string> = new Set(["error", "message", "issuer"]);
const LONG_CHARS = 20_000;
const MANY = 100;
