/**
 * The head of a request that came by HTTP/2, in the form of one by HTTP/1.1: that is what services get. What could become something
 * else on its way there is refused. Pure. Called by client/http2-stream.ts.
 */
import type { IncomingHttpHeaders } from "node:http2";
import { LIMITS } from "../../../base/limits.ts";
import { Refusal } from "./fields.ts";
import { readRequestHead, type RequestHead } from "./request-head.ts";

/** `isWhole`: no body follows. */
export function readHttp2Head(headers: IncomingHttpHeaders, isWhole: boolean): RequestHead | Refusal {
  const { ":method": method, ":path": path, ":authority": given, ":scheme": scheme } = headers;
  const host = headers["host"];
  const authority = given ?? host;
  if (typeof method !== "string" || typeof path !== "string" || typeof authority !== "string")
    return new Refusal(400, "the request has no method, path or host");
  if (scheme !== "https" && scheme !== "http") return new Refusal(400, "the scheme is not https");
  if (given !== undefined && host !== undefined && host !== given)
    return new Refusal(400, "the host is said twice");
  if ([method, path, authority].some((part) => SEPARATORS.test(part)))
    return new Refusal(400, "the method, path or host has a blank in it");
  const lines = linesOf(headers);
  if (lines instanceof Refusal) return lines;
  // Read again as what the service will get: one set of rules for both.
  const text = `${method} ${path} HTTP/1.1\r\nhost: ${authority}\r\n${lines}`;
  // What has no place in one byte would become another one there, such as a line end.
  if (WIDE.test(text)) return new Refusal(400, "a header has a character of more than one byte");
  if (text.length > LIMITS.proxyHeadBytes) return new Refusal(431, "the head is too long");
  return bodied(readRequestHead(text), isWhole);
}

// --- internal ---

const LINE_END = /[\r\n]/;
const WIDE = /[^\0-\xff]/;
const SEPARATORS = /\s/;

/** Where no length is said, and a body comes, the service gets chunks. */
function bodied(head: RequestHead | Refusal, isWhole: boolean): RequestHead | Refusal {
  if (head instanceof Refusal) return head;
  if (!isWhole) return { ...head, body: head.body ?? "chunked", upgrades: false };
  return typeof head.body === "number" && head.body > 0
    ? new Refusal(400, "the body is shorter than was said")
    : { ...head, upgrades: false };
}

/** Of one connection, which in HTTP/2 has no such thing. */
const MALFORMED: ReadonlySet<string> = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "transfer-encoding",
  "upgrade",
]);

function linesOf(headers: IncomingHttpHeaders): string | Refusal {
  let lines = "";
  for (const [name, value] of Object.entries(headers)) {
    if (name.startsWith(":") || name === "host" || value === undefined) continue;
    if (MALFORMED.has(name)) return new Refusal(400, `HTTP/2 has no ${name}`);
    for (const each of typeof value === "string" ? [value] : value) {
      // One line each: a line end in it would make two of it.
      if (LINE_END.test(each) || LINE_END.test(name))
        return new Refusal(400, "a header has a line end in it");
      lines += `${name}: ${each}\r\n`;
    }
  }
  return lines;
}
