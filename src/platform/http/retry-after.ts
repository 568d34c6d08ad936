/** What a server asks for in `Retry-After`. Pure. Used by notification channels and by certificates. */

/** Seconds, also with a fraction as Discord writes them, or a date; nothing for anything else. */
export function retryAfterMs(text: string, nowMs: number): number | undefined {
  if (/^\d{1,9}(?:\.\d{1,9})?$/.test(text)) return Math.ceil(Number(text) * 1000);
  const at = Date.parse(text);
  return Number.isNaN(at) ? undefined : Math.max(0, at - nowMs);
}
