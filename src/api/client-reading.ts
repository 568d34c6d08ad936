/**
 * Reads an answer's body within bounds: whole, or line by line. A body that breaks off throws what `lost` makes, never a
 * short answer that looks complete. Only client.ts calls this.
 */
import { fail, isVoxError } from "../base/errors.ts";
import { formatBytes } from "../base/text.ts";

/** All of the body, at most `bytesMax`. */
export async function readBytes(
  response: Response,
  bytesMax: number,
  lost: () => Error,
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of chunksOf(response, lost)) {
    size += chunk.byteLength;
    if (size > bytesMax) throw tooLong(bytesMax);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, size);
}

/** Each line without its end; an unfinished last line is lost, not given. */
export async function* readLines(
  response: Response,
  lineBytesMax: number,
  lost: () => Error,
): AsyncGenerator<string, void, undefined> {
  const decoder = new TextDecoder();
  let parts: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of chunksOf(response, lost)) {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
      if (size + end - start > lineBytesMax) throw tooLong(lineBytesMax);
      yield decoder.decode(Buffer.concat([...parts, chunk.subarray(start, end)]));
      parts = [];
      size = 0;
      start = end + 1;
    }
    const rest = chunk.subarray(start);
    size += rest.byteLength;
    if (size > lineBytesMax) throw tooLong(lineBytesMax);
    if (rest.byteLength > 0) parts.push(rest);
  }
  if (size > 0) throw lost();
}

// --- internal ---

const NEWLINE = 0x0a;

async function* chunksOf(response: Response, lost: () => Error): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    for await (const chunk of response.body ?? []) yield chunk;
  } catch (error) {
    throw isVoxError(error) ? error : lost();
  }
}

function tooLong(bytesMax: number): Error {
  return fail("connection.lost", `the daemon's answer is longer than ${formatBytes(bytesMax)}`);
}
