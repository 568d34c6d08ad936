/** A message on an attacker's one socket: four bytes of length, then text. */

export const HEAD_BYTES = 4;

export function frameOf(text: string): Uint8Array<ArrayBuffer> {
  const body = new TextEncoder().encode(text);
  const frame = new Uint8Array(HEAD_BYTES + body.length);
  new DataView(frame.buffer).setUint32(0, body.length, true);
  frame.set(body, HEAD_BYTES);
  return frame;
}
