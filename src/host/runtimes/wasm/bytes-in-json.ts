/** Bytes in JSON: `{"$b64": "…"}` for the module, Uint8Arrays for the host. Values without bytes come back as they were. */

/** What is no base64 stays as it is: who wants bytes there says so. */
export function bytesFromJson(value: unknown): unknown {
  return mapped(value, (found) => {
    const text = "$b64" in found && Object.keys(found).length === 1 ? found["$b64"] : undefined;
    return typeof text === "string" ? fromBase64(text) : undefined;
  });
}

export function bytesToJson(value: unknown): unknown {
  return mapped(value, (found) => (found instanceof Uint8Array ? { $b64: found.toBase64() } : undefined));
}

// --- internal ---

function fromBase64(text: string): Uint8Array | undefined {
  try {
    return Uint8Array.fromBase64(text);
  } catch {
    return undefined;
  }
}

/** A copy in which each object that `change` gives something for is replaced by that. */
function mapped(value: unknown, change: (found: object) => unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  const other = change(value);
  if (other !== undefined) return other;
  if (Array.isArray(value)) return value.map((item) => mapped(item, change));
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, mapped(item, change)]));
}
