/**
 * One request on its way to a service, and the answer on its way back. It knows one connection to the service and, of the client, only
 * what a `Caller` is. It tries again where a connection that had waited turns out to be closed already. Called by the clients' side.
 */
import { LIMITS } from "../../../base/limits.ts";
import { chunkOf, LAST_CHUNK, makeChunkScanner, type ChunkScanner } from "../http/chunks.ts";
import { requestHeadText, type Origin } from "../http/forward.ts";
import type { RequestHead } from "../http/request-head.ts";
import { readResponseHead, type ResponseHead } from "../http/response-head.ts";
import { NEVER, type Watch, type Watched } from "../watch.ts";
import type { PlainWire } from "../wire/plain-wire.ts";
import { NOBODY, type Wire, type WireOwner } from "../wire/wire.ts";
import type { Place, Unreached, Work } from "./pool.ts";

/** The client's side. Of `fail`, `cut`, `finish` and `upgrade` one is called, once. */
export interface Caller {
  /** It wants chunks with their frames, exactly as the service sent them. */
  readonly takesFrames: boolean;
  interim(head: ResponseHead): void;
  /** `room` lies directly before the first of the body, and may be written to: what fits there leaves together with the body. */
  respond(head: ResponseHead, room: Buffer | undefined): void;
  body(bytes: Uint8Array): void;
  /** What was handed over so far may leave. False: nothing more until `Exchange.resume`. */
  flush(): boolean;
  finish(): void;
  /** Nothing was answered yet, and nothing will be. */
  fail(status: number, reason: string): void;
  /** The answer breaks off. */
  cut(reason: string): void;
  /** More of the request can be sent. */
  more(): void;
  /** From here on the connection is the client's; the service has said `first` already. */
  upgrade(head: ResponseHead, wire: Wire, first: Buffer): void;
}

export interface ExchangeOptions {
  readonly head: RequestHead;
  readonly origin: Origin;
  readonly place: Place;
  readonly caller: Caller;
  readonly watch: Watch;
  /** How long the service may take until its answer begins. */
  readonly responseMs: number;
}

export class Exchange implements WireOwner, Watched, Work {
  deadlineMs = NEVER;
  readonly #options: ExchangeOptions;
  #wire: PlainWire | undefined;
  #isReused = false;
  #isOver = false;
  #isRequestSent: boolean;
  /** Of the request, before there is a connection. */
  #unsent: Uint8Array[] = [];
  /** Of the answer's head, until it is whole. */
  #heard: Buffer | undefined;
  #answer: ResponseHead | undefined;
  #scanner: ChunkScanner | undefined;
  /** Bytes of the answer's body that are still to come. */
  #left = 0;

  constructor(options: ExchangeOptions) {
    this.#options = options;
    this.#isRequestSent = options.head.body === undefined;
  }

  start(): void {
    const { place, watch } = this.#options;
    place.begin(this);
    this.#waitForService();
    watch.add(this);
    // A service may close a connection that waits at any time. What can't be sent twice takes one that was in use just now, or a new one.
    const waiting = place.take(this.#canRepeat() ? NEVER : LIMITS.proxyYoungMs);
    if (waiting === undefined) return void this.#connect();
    this.#isReused = true;
    this.#use(waiting);
  }

  /** A part of the request's body. False: no more until `Caller.more`. */
  send(bytes: Uint8Array): boolean {
    if (this.#isOver) return true;
    const framed = this.#options.head.body === "chunked" ? chunkOf(bytes) : bytes;
    if (this.#wire === undefined) {
      this.#unsent.push(Uint8Array.from(framed));
      return false;
    }
    const isTaken = this.#wire.write(framed);
    if (isTaken) this.#waitForClient();
    else this.#waitForService();
    return isTaken;
  }

  sendEnd(): void {
    this.#isRequestSent = true;
    this.#waitForService();
    if (this.#isOver || this.#options.head.body !== "chunked") return;
    if (this.#wire === undefined) this.#unsent.push(LAST_CHUNK);
    else this.#wire.write(LAST_CHUNK);
  }

  /** The client can take more of the answer. */
  resume(): void {
    this.#wire?.resume();
  }

  /** Nobody wants the answer any more. */
  abort(): void {
    if (this.#isOver) return;
    this.#stop("drop");
  }

  giveWay(): void {}

  cutOff(): void {
    if (this.#isOver) return;
    if (this.#answer !== undefined) this.#cut("the instance was stopped");
    else this.#fail(503, "the instance was stopped");
  }

  expire(): void {
    this.#fail(504, `no answer within ${this.#options.responseMs / 1000} s`);
  }

  data(bytes: Buffer): void {
    if (this.#answer === undefined) this.#readHead(bytes);
    else this.#readBody(bytes);
    if (!this.#isOver && !this.#options.caller.flush()) this.#wire?.pause();
  }

  drain(): void {
    this.#waitForClient();
    this.#options.caller.more();
  }

  end(): void {
    if (this.#answer?.body === "close") this.#finish();
    else this.#broke();
  }

  close(): void {
    this.#broke();
  }

  async #connect(): Promise<void> {
    const wire = await this.#options.place.connect(() => !this.#isOver);
    if (typeof wire === "string") return this.#unreached(wire);
    if (this.#isOver) return this.#options.place.release(wire);
    this.#use(wire);
  }

  #unreached(how: Unreached): void {
    if (how === "timeout") this.#fail(504, "the service could not be reached in time");
    else this.#fail(503, "nothing answers where the service should be");
  }

  #use(wire: PlainWire): void {
    const { head, origin, caller } = this.#options;
    this.#wire = wire;
    wire.owner = this;
    if (wire.closed) return this.#broke();
    const text = Buffer.from(requestHeadText(head, origin), "latin1");
    const parts = this.#unsent.splice(0);
    const isTaken = wire.write(parts.length === 0 ? text : Buffer.concat([text, ...parts]));
    if (!isTaken || this.#isRequestSent) return;
    this.#waitForClient();
    caller.more();
  }

  #waitForService(): void {
    if (this.#answer === undefined && !this.#isOver)
      this.deadlineMs = this.#options.watch.now() + this.#options.responseMs;
  }

  /** While the client has still to say something of its request, it is the client that may take too long. */
  #waitForClient(): void {
    if (!this.#isRequestSent) this.deadlineMs = NEVER;
  }

  #canRepeat(): boolean {
    const { method, body, upgrades } = this.#options.head;
    return IDEMPOTENT.has(method) && body === undefined && !upgrades;
  }

  #readHead(bytes: Buffer): void {
    let heard = this.#heard === undefined ? bytes : Buffer.concat([this.#heard, bytes]);
    // What was put together may lie beside something else.
    const isOwn = heard === bytes;
    let room: Buffer | undefined;
    this.#heard = undefined;
    while (this.#answer === undefined) {
      const end = heard.indexOf("\r\n\r\n", 0, "latin1");
      if (end > LIMITS.proxyHeadBytes || (end < 0 && heard.length > LIMITS.proxyHeadBytes))
        return this.#fail(502, "the head of the service's answer is too long");
      if (end < 0) {
        this.#heard = heard;
        return;
      }
      const answer = readResponseHead(heard.toString("latin1", 0, end + 2), this.#options.head.method);
      if (typeof answer === "string")
        return this.#fail(502, `the service's answer can't be understood: ${answer}`);
      if (isOwn) room = heard.subarray(0, end + 4);
      heard = heard.subarray(end + 4);
      if (answer.status === 101) return this.#upgrade(answer, heard);
      if (answer.status < 200) this.#options.caller.interim(answer);
      else this.#answer = answer;
    }
    this.#begin(this.#answer, heard, room);
  }

  #begin(answer: ResponseHead, first: Buffer, room: Buffer | undefined): void {
    this.deadlineMs = NEVER;
    this.#options.caller.respond(answer, room);
    if (answer.body === undefined || answer.body === 0) return this.#finish(first.length > 0);
    if (answer.body === "chunked") this.#scanner = makeChunkScanner();
    else if (answer.body !== "close") this.#left = answer.body;
    if (first.length > 0) this.#readBody(first);
  }

  #readBody(bytes: Buffer): void {
    const { caller } = this.#options;
    if (this.#scanner !== undefined) return this.#readChunks(this.#scanner, bytes);
    if (this.#answer?.body === "close") return caller.body(bytes);
    const isLast = bytes.length >= this.#left;
    const rest = bytes.length - this.#left;
    caller.body(isLast ? bytes.subarray(0, this.#left) : bytes);
    this.#left -= bytes.length;
    if (isLast) this.#finish(rest > 0);
  }

  #readChunks(scanner: ChunkScanner, bytes: Buffer): void {
    const { caller } = this.#options;
    const end = scanner.scan(bytes, 0, caller.takesFrames ? undefined : (slice) => caller.body(slice));
    if (scanner.bad) return this.#cut("the service's answer has a chunk that is none");
    if (caller.takesFrames) caller.body(bytes.subarray(0, end));
    if (scanner.done) this.#finish(end < bytes.length);
  }

  #upgrade(answer: ResponseHead, first: Buffer): void {
    const wire = this.#wire;
    if (!this.#options.head.upgrades || wire === undefined)
      return this.#fail(502, "the service changed the protocol, and nobody had asked");
    this.#wire = undefined;
    this.#stop("drop");
    this.#options.caller.upgrade(answer, wire, first);
  }

  /** Where more came than belongs to the answer, nobody knows what the next one on this connection would be. */
  #finish(isDirty = false): void {
    const isWhole = !isDirty && this.#isRequestSent;
    this.#stop(isWhole ? (this.#answer?.keepsAlive === true ? "reuse" : "leave") : "drop");
    this.#options.caller.finish();
  }

  #broke(): void {
    if (this.#isOver) return;
    if (this.#answer !== undefined) return this.#cut("the service broke its answer off");
    if (!this.#isReused || this.#heard !== undefined || !this.#canRepeat())
      return this.#fail(502, "the service closed the connection without an answer");
    this.#isReused = false;
    this.#wire = dropped(this.#wire);
    void this.#connect();
  }

  #fail(status: number, reason: string): void {
    if (this.#isOver) return;
    this.#stop("drop");
    this.#options.caller.fail(status, reason);
  }

  #cut(reason: string): void {
    this.#stop("drop");
    this.#options.caller.cut(reason);
  }

  #stop(fate: "reuse" | "leave" | "drop"): void {
    const { place, watch } = this.#options;
    const wire = this.#wire;
    this.#isOver = true;
    this.#unsent = [];
    this.#wire = undefined;
    watch.delete(this);
    place.end(this);
    if (wire === undefined) return;
    if (fate === "reuse") place.release(wire);
    else if (fate === "leave") place.leave(wire);
    else dropped(wire);
  }
}

// --- internal ---

/** What may be asked twice. */
const IDEMPOTENT: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS", "PUT", "DELETE"]);

function dropped(wire: PlainWire | undefined): undefined {
  if (wire === undefined) return;
  wire.owner = NOBODY;
  wire.destroy();
}
