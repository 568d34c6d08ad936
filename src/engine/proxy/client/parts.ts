/** What is to be written to a client, put together so that it leaves in few pieces and is copied only where it is small. Called by http1.ts. */

/** Texts are heads: a byte a character. */
export type Part = Uint8Array | string;

/** What lies side by side already is one. */
export function mergeLast(parts: Part[]): void {
  const [before, last] = parts.slice(-2);
  if (typeof before !== "object" || typeof last !== "object" || before.buffer !== last.buffer) return;
  if (before.byteOffset + before.length !== last.byteOffset) return;
  parts.length -= 2;
  parts.push(new Uint8Array(before.buffer, before.byteOffset, before.length + last.length));
}

export function joined(parts: readonly Part[]): readonly Uint8Array[] {
  const [only] = parts;
  if (parts.length === 1 && typeof only === "object") return [only];
  let size = 0;
  for (const part of parts) size += part.length;
  if (size > JOINED_BYTES)
    return parts.map((part) => (typeof part === "string" ? Buffer.from(part, "latin1") : part));
  const whole = Buffer.allocUnsafe(size);
  let at = 0;
  for (const part of parts) {
    if (typeof part === "string") whole.write(part, at, "latin1");
    else whole.set(part, at);
    at += part.length;
  }
  return [whole];
}

// --- internal ---

/** A system call costs more than copying as much as this. */
const JOINED_BYTES = 32 * 1024;
