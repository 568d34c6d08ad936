/**
 * Views, buffers, and bytes inside JSON: they stay buffers on their way to and from the host, and a `{"$b64": ticket}` stands in
 * their place.
 */
import { askBytes, askBytesIfAny, askText } from "./bridge.ts";
import { isView, stringify } from "./primordials.ts";

export type BytesLike = ArrayBuffer | SharedArrayBuffer | ArrayBufferView;

export function isBytes(value: unknown): value is BytesLike {
  return isView(value) || value instanceof ArrayBuffer || value instanceof SharedArrayBuffer;
}

/** A copy that nobody else holds. */
export function copyBytes(source: BytesLike): Uint8Array<ArrayBuffer> {
  const view = isView(source)
    ? new Uint8Array(source.buffer, source.byteOffset, source.byteLength)
    : new Uint8Array(source);
  const copy = new Uint8Array(view.length);
  copy.set(view);
  return copy;
}

export function encodeUtf8(text: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(askBytes("utf8.encode", stringify(text)));
}

/** JSON text of anything; bytes in it were handed over. Throws where they are too many for a message, or it can't be JSON. */
export function stringifyWithBytes(value: unknown): string | undefined {
  try {
    return stringify(value, (_key, part: unknown) => (isBytes(part) ? { $b64: handOver(part) } : part));
  } catch (error) {
    askText("bytes.drop");
    throw error;
  }
}

/** Turns each `{"$b64": ticket}` of a parsed answer into a Uint8Array. */
export function reviveBytes(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  const record = value as Record<string, unknown>;
  if (typeof record["$b64"] === "string") {
    const buffer = askBytesIfAny("bytes.take", record["$b64"]);
    return buffer === undefined ? record : new Uint8Array(buffer);
  }
  for (const key in record) record[key] = reviveBytes(record[key]);
  return record;
}

// --- internal ---

function handOver(bytes: BytesLike): string {
  const ticket = askText("bytes.put", bytes.byteLength === 0 ? "" : copyBytes(bytes).buffer);
  if (ticket === "") throw new RangeError("the message has more bytes than can be sent");
  return ticket;
}
