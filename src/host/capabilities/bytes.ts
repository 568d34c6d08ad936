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
      return Uint8Array.fromBase64(dataset.value.$b64);
    } catch {
      addIssue({ message: 'bytes as {"$b64": "…"} in standard base64', expected: "base64" });
      return NEVER;
    }
  }),
);

export function wireBytes(bytes: Uint8Array): WireBytes {
  return { $b64: bytes.toBase64() };
}
