/** Request: what `fetch` sends. */
import { AbortController, AbortSignal } from "./abort.ts";
import { Body, extractBody, peekBody, takeBody } from "./body.ts";
import { Headers } from "./headers.ts";
import { URL } from "./url.ts";

export type Redirect = "follow" | "manual" | "error";

export interface RequestInit {
  readonly method?: unknown;
  readonly headers?: unknown;
  readonly body?: unknown;
  readonly redirect?: unknown;
  readonly signal?: AbortSignal | null;
}

export class Request extends Body {
  readonly url: string;
  readonly method: string;
  readonly headers: Headers;
  readonly redirect: Redirect;
  readonly signal: AbortSignal;

  constructor(input: unknown, init: RequestInit = {}) {
    const from = input instanceof Request ? input : undefined;
    const method = init.method === undefined ? (from?.method ?? "GET") : methodName(init.method);
    const given = init.body === undefined || init.body === null ? undefined : extractBody(init.body);
    if ((given !== undefined || (from !== undefined && peekBody(from) !== null)) && BODILESS.has(method)) {
      throw new TypeError(`a ${method} request can't have a body`);
    }
    super(given === undefined ? (from === undefined ? null : takeBody(from)) : given.bytes);
    this.url = from?.url ?? absoluteUrl(input);
    this.method = method;
    this.headers = new Headers(init.headers ?? from?.headers);
    if (given?.type !== undefined && !this.headers.has("content-type"))
      this.headers.set("content-type", given.type);
    this.redirect = redirectMode(init.redirect ?? from?.redirect ?? "follow");
    this.signal = signalOf(init.signal === undefined ? from?.signal : init.signal);
  }

  clone(): Request {
    return new Request(this.url, {
      method: this.method,
      headers: this.headers,
      body: peekBody(this),
      redirect: this.redirect,
      signal: this.signal,
    });
  }
  get [Symbol.toStringTag](): string {
    return "Request";
  }
}

// --- internal ---

const BODILESS = new Set(["GET", "HEAD"]);
const NORMALIZED = new Set(["DELETE", "GET", "HEAD", "OPTIONS", "POST", "PUT"]);
const FORBIDDEN = new Set(["CONNECT", "TRACE", "TRACK"]);

function methodName(method: unknown): string {
  const text = String(method);
  const upper = text.toUpperCase();
  if (!/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(text) || FORBIDDEN.has(upper)) {
    throw new TypeError(`the method "${text.slice(0, 40)}" is not allowed`);
  }
  return NORMALIZED.has(upper) ? upper : text;
}

function absoluteUrl(input: unknown): string {
  const url = new URL(input);
  if (url.username !== "" || url.password !== "") {
    throw new TypeError("a URL with a user name or a password can't be fetched: send a header instead");
  }
  return url.href;
}

function redirectMode(mode: unknown): Redirect {
  const text = String(mode);
  if (text !== "follow" && text !== "manual" && text !== "error") {
    throw new TypeError(`redirect is "follow", "manual" or "error", not "${text.slice(0, 40)}"`);
  }
  return text;
}

function signalOf(signal: unknown): AbortSignal {
  if (signal === undefined || signal === null) return new AbortController().signal;
  if (!(signal instanceof AbortSignal)) throw new TypeError("signal must be an AbortSignal");
  return signal;
}
