/**
 * What may be asked of an HTTP server: method, headers and body of one request, checked so that nothing in them can
 * change where the request ends or whom it addresses; and what becomes of it at a redirect (Fetch standard). Pure.
 */
import { fail } from "../../base/errors.ts";
import { LIMITS } from "../../base/limits.ts";
import { quote } from "../../base/text.ts";
import type { Target } from "./target.ts";

export interface HttpRequest {
  readonly url: string;
  readonly method: string;
  readonly headers: readonly HeaderPair[];
  readonly body?: Uint8Array<ArrayBuffer> | undefined;
}

export type HeaderPair = readonly [name: string, value: string];

/** The request with its method in upper case; throws `capability.invalid_params`. */
export function checkRequest(request: HttpRequest): HttpRequest {
  const method = request.method.toUpperCase();
  if (!METHODS.includes(method))
    throw invalid(`the method must be one of ${METHODS.join(", ")}, found ${quote(request.method)}`);
  if (request.body !== undefined && BODILESS.includes(method))
    throw invalid(`a ${method} request has no body`);
  if (request.body !== undefined && request.body.byteLength > LIMITS.fetchBodyBytes)
    throw fail(
      "capability.limit",
      `a body of at most ${LIMITS.fetchBodyBytes} bytes is wanted, this has ${request.body.byteLength}`,
    );
  checkHeaders(request.headers);
  return { ...request, method };
}

/** Refuses headers that belong to the connection, and bytes that would begin a new line. */
export function checkHeaders(headers: readonly HeaderPair[]): void {
  if (headers.length > LIMITS.fetchHeaders)
    throw invalid(`at most ${LIMITS.fetchHeaders} headers are sent, found ${headers.length}`);
  let bytes = 0;
  for (const [name, value] of headers) {
    bytes += name.length + value.length;
    if (!/^[\w!#$%&'*+.^`|~-]+$/.test(name)) throw invalid(`${quote(name)} is no header name`);
    if (isConnectionHeader(name)) throw invalid(`the header ${quote(name)} is set by the daemon alone`);
    // The value may be a secret: the error names the header only.
    if (!/^[\t\x20-\x7e\x80-\xff]*$/.test(value))
      throw invalid(`the value of the header ${quote(name)} has characters that a header can't carry`);
  }
  if (bytes > LIMITS.fetchHeaderBytes)
    throw invalid(`headers of at most ${LIMITS.fetchHeaderBytes} bytes are sent, found ${bytes}`);
}

/** The request that a redirect answer asks for, or undefined where the answer is no redirect. */
export function redirected(
  request: HttpRequest,
  from: Target,
  status: number,
  location: string | null,
): HttpRequest | undefined {
  if (location === null || !REDIRECTS.includes(status)) return undefined;
  // A host of combining marks costs its parser their number squared.
  if (location.length > LIMITS.fetchUrlChars)
    throw fail("network.failed", `${from.origin} redirects to a URL of ${location.length} characters`);
  const url = URL.parse(location, from.origin + from.path);
  if (url === null) throw fail("network.failed", `${from.origin} redirects to something that is no URL`);
  // What was meant for an encrypted connection would go on in the clear; who wants that asks for it by its own URL.
  if (from.scheme === "https" && url.protocol === "http:")
    throw fail("network.failed", `${from.origin} redirects from https to http`);
  const toGet =
    status === 303
      ? request.method !== "GET" && request.method !== "HEAD"
      : status < 303 && request.method === "POST";
  const dropped = [...(toGet ? BODY_HEADERS : []), ...(url.origin === from.origin ? [] : CREDENTIALS)];
  return {
    url: url.href,
    method: toGet ? "GET" : request.method,
    headers: request.headers.filter(([name]) => !dropped.includes(name.toLowerCase())),
    body: toGet ? undefined : request.body,
  };
}

// --- internal ---

/** Bun would quietly send GET for a method that it doesn't know. */
const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
const BODILESS = ["GET", "HEAD"];
const REDIRECTS = [301, 302, 303, 307, 308];
const CREDENTIALS = ["authorization", "cookie", "cookie2"];
const BODY_HEADERS = ["content-type", "content-encoding", "content-language", "content-location"];

const CONNECTION_HEADERS = new Set([
  "connection",
  "content-length",
  "expect",
  "host",
  "http2-settings",
  "keep-alive",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

function isConnectionHeader(name: string): boolean {
  const lower = name.toLowerCase();
  return CONNECTION_HEADERS.has(lower) || lower.startsWith("proxy-");
}

function invalid(message: string): Error {
  return fail("capability.invalid_params", message);
}
