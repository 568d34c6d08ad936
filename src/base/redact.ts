/** What takes secrets out of text, and how it goes through plain data. Which texts are secret is known to engine/secrets alone. */

export type Redact = (text: string) => string;

/** Every text in it. Names of fields are left unless `redactName` says otherwise: programs look for them. */
export function redactData(value: unknown, redact: Redact, redactName: Redact = (name) => name): unknown {
  if (typeof value === "string") return redact(value);
  if (Array.isArray(value)) return value.map((item) => redactData(item, redact, redactName));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [redactName(name), redactData(item, redact, redactName)]),
  );
}
