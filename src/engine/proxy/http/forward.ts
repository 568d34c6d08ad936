/** The head of a request as it goes to the service, with what the proxy knows of who asks. Pure. Called by upstream/exchange.ts. */
import type { RequestHead } from "./request-head.ts";

/** From where a request came, as it is told to the service. */
export interface Origin {
  readonly remote: string;
  readonly isSecure: boolean;
}

export function requestHeadText(head: RequestHead, { remote, isSecure }: Origin): string {
  const { method, target, authority, kept, body, upgrades } = head;
  let framing = "";
  if (body !== undefined)
    framing = body === "chunked" ? "Transfer-Encoding: chunked\r\n" : `Content-Length: ${body}\r\n`;
  if (upgrades) framing += "Connection: Upgrade\r\nUpgrade: websocket\r\n";
  return `${method} ${target} HTTP/1.1\r\nHost: ${authority}\r\n${kept}${framing}X-Forwarded-For: ${remote}\r\nX-Forwarded-Proto: ${isSecure ? "https" : "http"}\r\nX-Forwarded-Host: ${authority}\r\n\r\n`;
}
