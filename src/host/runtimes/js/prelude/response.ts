/** Response: what `fetch` gives, and what a plugin may make itself. */
import { Body, extractBody, giveStream, peekBody } from "./body.ts";
import { Headers } from "./headers.ts";
import { stringOf } from "./primordials.ts";
import { ReadableStream } from "./readable-stream.ts";
import { URL } from "./url.ts";

export interface ResponseInit {
  readonly status?: unknown;
  readonly statusText?: unknown;
  readonly headers?: unknown;
}

export class Response extends Body {
  readonly headers: Headers;
  #status = 200;
  #statusText = "";
  #url = "";
  #redirected = false;
  #type = "default";

  constructor(body?: unknown, init: ResponseInit = {}) {
    const status = init.status === undefined ? 200 : Number(init.status);
    if (!Number.isInteger(status) || status < 200 || status > 599) {
      throw new RangeError("a response's status is between 200 and 599");
    }
    const { bytes, type } = extractBody(body);
    if (bytes !== null && NO_BODY.has(status))
      throw new TypeError(`a response of status ${status} has no body`);
    super(bytes);
    this.#status = status;
    this.#statusText = init.statusText === undefined ? "" : stringOf(init.statusText);
    this.headers = new Headers(init.headers);
    if (type !== undefined && !this.headers.has("content-type")) this.headers.set("content-type", type);
  }

  static json(data: unknown, init: ResponseInit = {}): Response {
    const text = JSON.stringify(data) as string | undefined;
    if (text === undefined) throw new TypeError("the value is not JSON");
    const response = new Response(text, init);
    if (!new Headers(init.headers).has("content-type"))
      response.headers.set("content-type", "application/json");
    return response;
  }
  static error(): Response {
    return make(null, { status: 0, statusText: "", headers: [], url: "", redirected: false }, "error");
  }
  static redirect(url: unknown, status = 302): Response {
    if (![301, 302, 303, 307, 308].includes(status)) throw new RangeError(`${status} is not a redirect`);
    return new Response(null, { status, headers: { location: new URL(url).href } });
  }

  get status(): number {
    return this.#status;
  }
  get statusText(): string {
    return this.#statusText;
  }
  get ok(): boolean {
    return this.#status >= 200 && this.#status <= 299;
  }
  get url(): string {
    return this.#url;
  }
  get redirected(): boolean {
    return this.#redirected;
  }
  get type(): string {
    return this.#type;
  }
  clone(): Response {
    const { status, statusText, url, redirected } = this;
    return make(peekBody(this), { status, statusText, headers: this.headers, url, redirected }, this.#type);
  }
  get [Symbol.toStringTag](): string {
    return "Response";
  }

  static {
    make = (body, parts, type) => {
      const response = new Response(null, { headers: parts.headers });
      const withBody = body === null ? response : new Response(body, { headers: parts.headers });
      withBody.#status = parts.status;
      withBody.#statusText = parts.statusText;
      withBody.#url = parts.url;
      withBody.#redirected = parts.redirected;
      withBody.#type = type;
      return withBody;
    };
  }
}

export interface ResponseParts {
  readonly status: number;
  readonly statusText: string;
  readonly headers: unknown;
  readonly url: string;
  readonly redirected: boolean;
}

/** A response from the network: any status, and where it came from. */
export function networkResponse(
  body: Uint8Array<ArrayBuffer> | ReadableStream | null,
  parts: ResponseParts,
): Response {
  if (!(body instanceof ReadableStream)) return make(body, parts, "basic");
  const response = make(null, parts, "basic");
  giveStream(response, body);
  return response;
}

// --- internal ---

const NO_BODY = new Set([204, 205, 304]);

var make: (body: Uint8Array<ArrayBuffer> | null, parts: ResponseParts, type: string) => Response;
