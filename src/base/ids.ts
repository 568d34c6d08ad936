/** Identifiers. The only place where randomness becomes a name. */

/** UUIDv7: sorts by the time it was made. */
export function newId(): string {
  return Bun.randomUUIDv7();
}

/** Eight lower-case hex digits for names that a person may have to type. */
export function shortId(): string {
  return Buffer.from(crypto.getRandomValues(new Uint8Array(4))).toString("hex");
}
