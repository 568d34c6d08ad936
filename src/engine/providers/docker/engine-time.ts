/** Times as the engine's query parameters want them: seconds since 1970 with nine decimals. Pure. */
import { fail } from "../../../base/errors.ts";
import { quote } from "../../../base/text.ts";

/** From RFC 3339, without losing the nanoseconds that the engine's own stamps have. Throws `usage.invalid`. */
export function engineTime(rfc3339: string): string {
  const ms = Date.parse(rfc3339);
  if (!Number.isFinite(ms)) {
    throw fail("usage.invalid", `wanted a time such as 2026-01-31T08:00:00Z, found ${quote(rfc3339)}`);
  }
  const fraction = /\.(\d{1,9})/.exec(rfc3339)?.[1] ?? "";
  return `${Math.floor(ms / 1000)}.${fraction.padEnd(9, "0")}`;
}
