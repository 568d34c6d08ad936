/**
 * Heads as they are passed on: what was meant for us is gone, what a client may not say is replaced by what we know. Pure.
 * Called by upstream/exchange.ts and by the clients' side.
 */
import type { Field } from "./fields.ts";
import type { RequestHead } from "./request-head.ts";
import type { ResponseHead } from "./response-head.ts";

/** From where a request came, as it is told to the service. */
export interface Origin {
  readonly remote: string;
  readonly isSecure: boolean;
}

export function requestHeadText(head: RequestHead, origin: Origin): string {
  let text = `${head.method} ${head.target} HTTP/1.1\r\nHost: ${head.authority}\r\n`;
  for (const { name, lower, value } of head.fields)
    if (isForService(lower) && !head.hopFields.has(lower)) text += `${name}: ${value}\r\n`;
  if (head.body !== undefined)
    text += head.body === "chunked" ? "Transfer-Encoding: chunked\r\n" : `Content-Length: ${head.body}\r\n`;
  if (head.upgrades) text += "Connection: Upgrade\r\nUpgrade: websocket\r\n";
  const scheme = origin.isSecure ? "https" : "http";
  return `${text}X-Forwarded-For: ${origin.remote}\r\nX-Forwarded-Proto: ${scheme}\r\nX-Forwarded-Host: ${head.authority}\r\n\r\n`;
}

/** The fields of an answer that are for the client. */
export function answerFields(head: ResponseHead): Field[] {
  // Whatever `Connection` names: without its length an answer would not end.
  return head.fields.filter(
    ({ lower }) => lower === "content-length" || (!HOP_FIELDS.has(lower) && !head.hopFields.has(lower)),
  );
}

// --- internal ---

/** Of one connection, not of the message. */
const HOP_FIELDS: ReadonlySet<string> = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/** Said by us, or told by nobody: a service must be able to believe what they say. */
const OURS: ReadonlySet<string> = new Set([
  "host",
  "content-length",
  "forwarded",
  "x-real-ip",
  "http2-settings",
  "proxy",
  "proxy-authorization",
]);

function isForService(lower: string): boolean {
  // Many programs read X_Forwarded_For as X-Forwarded-For.
  const name = lower.includes("_") ? lower.replaceAll("_", "-") : lower;
  return !HOP_FIELDS.has(name) && !OURS.has(name) && !name.startsWith("x-forwarded-");
}
