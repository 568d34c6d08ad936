/**
 * Reads the head of a service's answer. An answer of which is not sure where it ends is refused: what comes after it would be taken
 * for the answer to somebody else's request. Pure. Called by upstream/exchange.ts.
 */
import { LIMITS } from "../../../base/limits.ts";
import { hasBadBytes, listOf, readFields, readLength, type Field } from "./fields.ts";

export interface ResponseHead {
  readonly status: number;
  readonly reason: string;
  readonly fields: readonly Field[];
  /** `close`: it ends with the connection. */
  readonly body: number | "chunked" | "close" | undefined;
  /** The connection can be used again when the answer is over. */
  readonly keepsAlive: boolean;
  readonly hopFields: ReadonlySet<string>;
}

/** `head` is everything up to the empty line, without it. A text says what is wrong. */
export function readResponseHead(head: string, method: string): ResponseHead | string {
  if (hasBadBytes(head)) return "its head has a control character or a bare line end";
  const lineEnd = head.indexOf("\r\n");
  const line = /^HTTP\/1\.([01]) ([1-9]\d\d)(?: (.*))?$/.exec(head.slice(0, lineEnd));
  if (line === null) return "it is not HTTP/1.1";
  const [, minor, code = "", reason = ""] = line;
  const fields = readFields(head, lineEnd + 2, LIMITS.proxyFields);
  if (typeof fields === "string") return `it has ${fields}`;
  const status = Number(code);
  const body = readFraming(fields, status, method);
  if (typeof body === "string" && body !== "chunked" && body !== "close") return body;
  const hopFields = fields.some(({ lower }) => lower === "connection") ? listOf(fields, "connection") : NONE;
  return {
    status,
    reason,
    fields,
    body: body as ResponseHead["body"],
    keepsAlive: body !== "close" && (minor === "1" ? !hopFields.has("close") : hopFields.has("keep-alive")),
    hopFields,
  };
}

// --- internal ---

const NONE: ReadonlySet<string> = new Set();

function readFraming(
  fields: readonly Field[],
  status: number,
  method: string,
): ResponseHead["body"] | string {
  let length: number | undefined;
  let isChunked = false;
  for (const { lower, value } of fields) {
    if (lower === "transfer-encoding") {
      if (isChunked || value.toLowerCase() !== "chunked")
        return "it has a transfer coding other than chunked";
      isChunked = true;
    } else if (lower === "content-length") {
      const found = readLength(value);
      if (found === undefined || (length !== undefined && length !== found))
        return "the length of its body is no number";
      length = found;
    }
  }
  if (isChunked && length !== undefined) return "its body is chunked and has a length";
  if (method === "HEAD" || status < 200 || status === 204 || status === 304) return undefined;
  return isChunked ? "chunked" : (length ?? "close");
}
