/** The text of a child's stream, no more of it than allowed; what is beyond is read and thrown away, so that the child never waits. */
export async function readText(stream: ReadableStream<Uint8Array>, maxBytes: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let room = maxBytes;
  try {
    for await (const chunk of stream) {
      if (room === 0) continue;
      chunks.push(chunk.subarray(0, room));
      room -= Math.min(room, chunk.length);
    }
  } catch {
    // What was read until then is all there is.
  }
  return new TextDecoder().decode(Buffer.concat(chunks));
}
