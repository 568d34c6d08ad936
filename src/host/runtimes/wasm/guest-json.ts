/** Reads JSON that a module made: bounded, so that neither this process nor the daemon chokes on it. */
import { LIMITS } from "../../../base/limits.ts";
import { printable } from "../../../base/text.ts";
import { measureJson } from "../wire/json-shape.ts";

/** Throws an Error whose message says what is wrong with it. */
export function parseGuestJson(text: string): unknown {
  const { values, depth } = measureJson(text);
  if (depth > LIMITS.messageDepth)
    throw new Error(`JSON of ${depth} levels, at most ${LIMITS.messageDepth} are taken`);
  if (values > LIMITS.messageValues)
    throw new Error(`JSON of about ${values} values, at most ${LIMITS.messageValues} are taken`);
  try {
    return JSON.parse(text);
  } catch {
    throw new Error(`no JSON; it begins with ${JSON.stringify(printable(text, SHOWN))}`);
  }
}

// --- internal ---

const SHOWN = 60;
