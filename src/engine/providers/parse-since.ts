/** Reads the `since` of LogOptions. Pure. Called by every provider that reads logs. */
import { fail } from "../../base/errors.ts";
import { quote } from "../../base/text.ts";

/** Milliseconds since 1970. Throws `usage.invalid` for what is not RFC 3339. */
export function parseSince(rfc3339: string): number {
  const ms = Date.parse(rfc3339);
  if (Number.isFinite(ms)) return ms;
  throw fail("usage.invalid", `wanted a time such as 2026-01-31T08:00:00Z, found ${quote(rfc3339)}`);
}
