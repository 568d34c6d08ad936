/** Times as the engine's query parameters want them: seconds since 1970 with nine decimals. Pure. */
import { parseSince } from "../parse-since.ts";

/** From RFC 3339, without losing the nanoseconds that the engine's own stamps have. Throws `usage.invalid`. */
export function engineTime(rfc3339: string): string {
  const ms = parseSince(rfc3339);
  const fraction = /\.(\d{1,9})/.exec(rfc3339)?.[1] ?? "";
  return `${Math.floor(ms / 1000)}.${fraction.padEnd(9, "0")}`;
}
