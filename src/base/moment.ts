/** A time as people write it: RFC 3339, or how long ago. Pure. Used on both sides of the API. */
import { parseDuration } from "./duration.ts";

/**
 * Milliseconds since 1970, or undefined where the text is no time that can be said.
 *
 * @example parseMoment("10m", systemClock.now()); // ten minutes ago
 */
export function parseMoment(text: string, nowMs: number): number | undefined {
  const ago = parseDuration(text);
  const at =
    ago === undefined ? (/^\d{4}-\d{2}-\d{2}/.test(text) ? Date.parse(text) : Number.NaN) : nowMs - ago;
  return at >= 0 && at <= LATEST_MS ? at : undefined;
}

/** Whether it is a time at all. */
export function isMoment(text: string): boolean {
  return parseMoment(text, LATEST_MS) !== undefined;
}

// --- internal ---

/** The end of the year 9999: until then all stamps have one length. */
const LATEST_MS = 253_402_300_799_999;
