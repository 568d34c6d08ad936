/**
 * One request of a client that speaks HTTP/2: from its stream to an exchange, and the answer back into the stream. Called by http2.ts.
 */
import { constants, type IncomingHttpHeaders, type ServerHttp2Stream } from "node:http2";
import { LIMITS } from "../../../base/limits.ts";
import { problem, type OwnAnswer } from "../desk.ts";
import { fieldsOf, Refusal } from "../http/fields.ts";
import { readHttp2Head } from "../http/http2-head.ts";
import type { RequestHead } from "../http/request-head.ts";
import type { ResponseHead } from "../http/response-head.ts";
import { Exchange, type Caller } from "../upstream/exchange.ts";
import { NEVER, type Watched } from "../watch.ts";
import type { Wire } from "../wire/wire.ts";
import { Visit, type ClientDeps, type ClientPlace } from "./visit.ts";

export interface StreamRequest {
  readonly headers: IncomingHttpHeaders;
  /** No body follows. */
  readonly isWhole: boolean;
}

export function serveStream(
  stream: ServerHttp2Stream,
  { headers, isWhole }: StreamRequest,
  place: ClientPlace,
  deps: ClientDeps,
): void {
  stream.on("error", () => stream.destroy());
  const head = readHttp2Head(headers, isWhole);
  if (head instanceof Refusal) {
    const visit = new Visit(deps, place, NO_REQUEST, undefined, true);
    visit.status = head.status;
    visit.problem = head.reason;
    visit.end();
    return answer(stream, problem(head.status), false);
  }
  new Http2Request(stream, head, place, deps).begin(isWhole);
}

// --- internal ---

class Http2Request implements Caller, Watched {
  readonly takesFrames = false;
  deadlineMs = NEVER;
  readonly #stream: ServerHttp2Stream;
  readonly #head: RequestHead;
  readonly #place: ClientPlace;
  readonly #deps: ClientDeps;
  #visit: Visit | undefined;
  #exchange: Exchange | undefined;
  #out: Uint8Array[] = [];
  #isFull = false;
  #isSent = false;
  #isAnswered = false;
  /** Of the body, where its length was said. */
  #left: number;

  constructor(stream: ServerHttp2Stream, head: RequestHead, place: ClientPlace, deps: ClientDeps) {
    this.#stream = stream;
    this.#head = head;
    this.#place = place;
    this.#deps = deps;
    this.#left = typeof head.body === "number" ? head.body : Number.POSITIVE_INFINITY;
  }

  begin(isWhole: boolean): void {
    const { desk, watch, responseMs } = this.#deps;
    const decision = desk.decide(this.#head, this.#place.isSecure);
    this.#visit = new Visit(this.#deps, this.#place, this.#head, decision.route, true);
    this.#isSent = isWhole;
    this.#stream.on("close", () => this.#closed());
    if (decision.place === undefined) return this.#answer(decision.answer ?? problem(404));
    this.#exchange = new Exchange({
      head: this.#head,
      origin: this.#place,
      place: decision.place,
      caller: this,
      watch,
      responseMs: responseMs(),
    });
    watch.add(this);
    this.#exchange.start();
    this.#stream.on("drain", () => this.#drained());
    if (isWhole) return void this.#stream.resume();
    this.#wait(LIMITS.proxyBodyIdleMs);
    this.#stream.on("data", (bytes: Buffer) => this.#sent(bytes));
    this.#stream.on("end", () => this.#sentAll());
  }

  interim(): void {}

  respond(head: ResponseHead): void {
    const headers: Record<string, string | string[]> = {};
    for (const [lower, value] of fieldsOf(head.kept)) {
      const before = headers[lower];
      if (before === undefined) headers[lower] = value;
      else headers[lower] = typeof before === "string" ? [before, value] : [...before, value];
    }
    if (head.length !== undefined) headers["content-length"] = `${head.length}`;
    this.#isAnswered = true;
    if (this.#visit !== undefined) this.#visit.status = head.status;
    if (this.#stream.destroyed) return;
    const endStream = head.body === undefined || head.body === 0;
    this.#stream.respond({ ...headers, ":status": head.status }, { endStream });
  }

  body(bytes: Uint8Array): void {
    if (this.#visit !== undefined) this.#visit.bytesOut += bytes.length;
    this.#out.push(bytes);
  }

  flush(): boolean {
    for (const bytes of this.#out.splice(0))
      if (!this.#stream.destroyed && !this.#stream.write(bytes)) this.#isFull = true;
    if (this.#isFull) this.#wait(LIMITS.proxyStallMs);
    return !this.#isFull;
  }

  finish(): void {
    this.#exchange = undefined;
    this.flush();
    if (!this.#stream.destroyed && !this.#stream.writableEnded) this.#stream.end();
    // What is still to come of the request is of no use to anybody.
    if (!this.#isSent) this.#stream.close(constants.NGHTTP2_NO_ERROR);
    else this.#stream.resume();
  }

  fail(status: number, reason: string): void {
    if (this.#visit !== undefined) this.#visit.problem = reason;
    this.#exchange = undefined;
    this.#answer(problem(status, reason));
  }

  cut(reason: string): void {
    if (this.#visit !== undefined) this.#visit.problem = reason;
    this.#exchange = undefined;
    this.#stream.close(constants.NGHTTP2_INTERNAL_ERROR);
  }

  more(): void {
    if (this.#isSent) return;
    this.#wait(LIMITS.proxyBodyIdleMs);
    this.#stream.resume();
  }

  /** Nobody asks for it over HTTP/2. */
  upgrade(_head: ResponseHead, service: Wire): void {
    service.destroy();
    this.fail(502, "the service changed the protocol, and nobody had asked");
  }

  expire(): void {
    const exchange = this.#exchange;
    exchange?.abort();
    if (this.#isAnswered || this.#isSent || exchange === undefined)
      return this.#stream.close(constants.NGHTTP2_CANCEL);
    this.fail(408, "the body");
  }

  #sent(bytes: Buffer): void {
    if (this.#visit !== undefined) this.#visit.bytesIn += bytes.length;
    this.#left -= bytes.length;
    if (this.#left < 0) return this.#misfit();
    this.#wait(LIMITS.proxyBodyIdleMs);
    if (this.#exchange?.send(bytes) !== false) return;
    this.deadlineMs = NEVER;
    this.#stream.pause();
  }

  #sentAll(): void {
    if (this.#left > 0 && this.#left !== Number.POSITIVE_INFINITY) return this.#misfit();
    this.#isSent = true;
    if (!this.#isFull) this.deadlineMs = NEVER;
    this.#exchange?.sendEnd();
  }

  /** The body is not as long as was said: to the service it would look like the beginning of another request, or never end. */
  #misfit(): void {
    const exchange = this.#exchange;
    this.#exchange = undefined;
    exchange?.abort();
    this.#stream.close(constants.NGHTTP2_PROTOCOL_ERROR);
  }

  #drained(): void {
    this.#isFull = false;
    if (this.#isSent) this.deadlineMs = NEVER;
    else this.#wait(LIMITS.proxyBodyIdleMs);
    this.#exchange?.resume();
  }

  #answer(own: OwnAnswer): void {
    if (this.#visit !== undefined) this.#visit.status = own.status;
    answer(this.#stream, own, this.#head.method === "HEAD");
    this.#stream.resume();
  }

  #closed(): void {
    this.#deps.watch.delete(this);
    this.#exchange?.abort();
    this.#exchange = undefined;
    this.#visit?.end();
    this.#visit = undefined;
  }

  #wait(ms: number): void {
    this.deadlineMs = this.#deps.watch.now() + ms;
  }
}

/** What the log has of a request that could not be read. */
const NO_REQUEST: RequestHead = {
  method: "",
  target: "",
  path: "",
  authority: "",
  kept: "",
  body: undefined,
  isModern: true,
  keepsAlive: true,
  upgrades: false,
};

function answer(stream: ServerHttp2Stream, own: OwnAnswer, isHeadOnly: boolean): void {
  if (stream.destroyed) return;
  const headers = Object.fromEntries(
    (own.headers ?? []).map(([name, value]) => [name.toLowerCase(), value] as const),
  );
  const length = Buffer.byteLength(own.text, "latin1");
  stream.respond({
    ...headers,
    ":status": own.status,
    "content-type": "text/plain; charset=utf-8",
    "content-length": length,
  });
  if (isHeadOnly) stream.end();
  else stream.end(Buffer.from(own.text, "latin1"));
}
