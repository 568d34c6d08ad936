/**
 * About how many characters a value has as JSON, without writing it: a body of five megabytes would hold the daemon up for that. What
 * escapes and UTF-8 add is not counted; who sends a message counts its bytes (wire/messages.ts). Used by the broker.
 */
export function jsonSize(value: unknown): number {
  if (typeof value === "string") return value.length + QUOTES;
  if (typeof value !== "object" || value === null) return SCALAR;
  let size = QUOTES;
  if (Array.isArray(value)) {
    for (const item of value) size += jsonSize(item) + COMMA;
    return size;
  }
  for (const [key, part] of Object.entries(value))
    size += key.length + QUOTES + COLON + jsonSize(part) + COMMA;
  return size;
}

// --- internal ---

const QUOTES = 2;
const COMMA = 1;
const COLON = 1;
/** A number, `true`, `null`. */
const SCALAR = 5;
