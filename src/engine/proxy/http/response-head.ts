/**
 * Reads the head of a service's answer. An answer of which is not sure where it ends is refused: what comes after it would be taken
 * for the answer to somebody else's request. Pure. Called by upstream/exchange.ts.
 */
import { readLength, readLines, type Lines } from "./fields.ts";

export interface ResponseHead {
  readonly status: number;
  readonly reason: string;
  /** The lines that are for the client, each with its end; how long the body is said to be is not among them. */
  readonly kept: string;
  /** `Content-Length`: also where no body follows, as after HEAD. */
  readonly length: number | undefined;
  /** `close`: it ends with the connection. */
  readonly body: number | "chunked" | "close" | undefined;
  /** The connection can be used again when the answer is over. */
  readonly keepsAlive: boolean;
}

/** `head` is everything up to the empty line, without it. A text says what is wrong. */
export function readResponseHead(head: string, method: string): ResponseHead | string {
  const line = FIRST_LINE.exec(head);
  if (line === null) return "it is not HTTP/1.1";
  const [{ length: start }, minor, code = "", reason = ""] = line;
  const lines = readLines(head, start);
  if (typeof lines === "string") return `it has ${lines}`;
  const { connection, kept } = lines;
  const status = Number(code);
  const framing = readFraming(lines);
  if (typeof framing === "string") return framing;
  const { length, isChunked } = framing;
  const hasNone = method === "HEAD" || status < 200 || status === 204 || status === 304;
  const body = hasNone ? undefined : isChunked ? "chunked" : (length ?? "close");
  return {
    status,
    reason,
    kept,
    length,
    body,
    keepsAlive: body !== "close" && (minor === "1" ? !connection.has("close") : connection.has("keep-alive")),
  };
}

// --- internal ---

const FIRST_LINE = /^HTTP\/1\.([01]) ([1-9]\d\d)(?: ([\t\x20-\x7e\x80-\xff]*))?\r\n/;

interface Framing {
  readonly length: number | undefined;
  readonly isChunked: boolean;
}

function readFraming({ special }: Lines): Framing | string {
  const coding = special.get("transfer-encoding");
  const said = special.get("content-length");
  if (coding === false || (coding !== undefined && coding.toLowerCase() !== "chunked"))
    return "it has a transfer coding other than chunked";
  const length = typeof said === "string" ? readLength(said) : undefined;
  if (said !== undefined && length === undefined) return "the length of its body is no number";
  if (coding !== undefined && length !== undefined) return "its body is chunked and has a length";
  return { length, isChunked: coding !== undefined };
}
