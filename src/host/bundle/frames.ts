/** Frames of bytes on a pipe: a u32 (little-endian) length, then that many bytes. Between the daemon and the bundler's process. */

export function joinFrames(frames: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const joined = new Uint8Array(frames.reduce((sum, frame) => sum + HEAD_BYTES + frame.length, 0));
  const view = new DataView(joined.buffer);
  let position = 0;
  for (const frame of frames) {
    view.setUint32(position, frame.length, true);
    joined.set(frame, position + HEAD_BYTES);
    position += HEAD_BYTES + frame.length;
  }
  return joined;
}

/** Undefined where the bytes are not whole frames. */
export function splitFrames(bytes: Uint8Array): Uint8Array[] | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const frames: Uint8Array[] = [];
  let position = 0;
  while (position < bytes.length) {
    if (position + HEAD_BYTES > bytes.length) return undefined;
    const end = position + HEAD_BYTES + view.getUint32(position, true);
    if (end > bytes.length) return undefined;
    frames.push(bytes.subarray(position + HEAD_BYTES, end));
    position = end;
  }
  return frames;
}

// --- internal ---

const HEAD_BYTES = 4;
