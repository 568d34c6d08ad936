/** Bytes in JSON: `{"$b64": "…"}`, both ways. Called by the families whose methods carry bytes. */
import * as v from "valibot";

export interface WireBytes {
  readonly $b64: string;
}

/** Standard base64 in, a Uint8Array out. */
export const bytesSchema = v.pipe(
  v.strictObject({ $b64: v.string() }),
  v.rawTransform(({ dataset, addIssue, NEVER }) => {
    try {
      return decoded(dataset.value.$b64);
    } catch {
      addIssue({ message: 'bytes as {"$b64": "…"} in standard base64', expected: "base64" });
      return NEVER;
    }
  }),
);

export function wireBytes(bytes: Uint8Array): WireBytes {
  return { $b64: bytes.toBase64() };
}

// --- internal ---

/** As `Uint8Array.fromBase64`, which grows as it goes and so touches twice the memory. Throws for what is no base64. */
function decoded(base64: string): Uint8Array<ArrayBuffer> {
  // More than there can be: where the last place is taken, decoding ends and the rest is not looked at.
  const bytes = new Uint8Array(Math.ceil((base64.length * 3) / 4) + 1);
  return bytes.subarray(0, bytes.setFromBase64(base64).written);
}
