/**
 * A client's connection that speaks HTTP/1.1: request after request, each given to the desk and, where a service answers, to an
 * exchange. Reads no request before the one before it is answered, keeps nothing of a body, and waits for nobody without end.
 * Called by the listeners.
 */
import { LIMITS } from "../../../base/limits.ts";
import { chunkOf, LAST_CHUNK, makeChunkScanner, type ChunkScanner } from "../http/chunks.ts";
import { problem, type OwnAnswer } from "../desk.ts";
import { Refusal } from "../http/fields.ts";
import { readRequestHead, type RequestHead } from "../http/request-head.ts";
import type { ResponseHead } from "../http/response-head.ts";
import { Exchange, type Caller } from "../upstream/exchange.ts";
import type { Place } from "../upstream/pool.ts";
import { NEVER, type Watched } from "../watch.ts";
import type { Wire, WireOwner } from "../wire/wire.ts";
import { answerText, ownAnswerText, type AnswerOptions } from "./answer-text.ts";
import type { Guest } from "./crowd.ts";
import { joined, mergeLast, type Part } from "./parts.ts";
import { openTunnel } from "./tunnel.ts";
import { Visit, type ClientDeps, type ClientPlace } from "./visit.ts";

/** Serves the connection until it ends. */
export function serveHttp1(wire: Wire, place: ClientPlace, deps: ClientDeps): void {
  new Http1Client(wire, place, deps).open();
}

// --- internal ---

class Http1Client implements WireOwner, Caller, Watched, Guest {
  deadlineMs = NEVER;
  takesFrames = true;
  readonly #wire: Wire;
  readonly #place: ClientPlace;
  readonly #deps: ClientDeps;
  /** What came and was not looked at. */
  #held: Buffer | undefined;
  /** Of the request that is being answered. */
  #head: RequestHead | undefined;
  #visit: Visit | undefined;
  #service: Place | undefined;
  #exchange: Exchange | undefined;
  #scanner: ChunkScanner | undefined;
  /** Bytes of its body that are still to come; 0: it is whole. */
  #left = 0;
  #isAnswered = false;
  #isChunking = false;
  #keepsAlive = false;
  /** What is to be written at the next `flush`. */
  #out: Part[] = [];
  #isFull = false;
  /** A part of the next head has come. */
  #isHeadBegun = true;
  /** Nothing more is answered; what still comes is thrown away. */
  #isLeaving = false;
  #isWorking = false;
  #canServiceTake = true;

  constructor(wire: Wire, place: ClientPlace, deps: ClientDeps) {
    this.#wire = wire;
    this.#place = place;
    this.#deps = deps;
  }

  open(): void {
    this.#wire.owner = this;
    this.#wait(LIMITS.proxyHeadMs);
    this.#deps.watch.add(this);
    if (!this.#deps.crowd.enter(this)) this.#refuse(new Refusal(503, "too many clients"));
  }

  isIdle(): boolean {
    return this.#head === undefined;
  }

  makeRoom(): void {
    this.#leave();
  }

  data(bytes: Buffer): void {
    if (this.#isLeaving) return;
    this.#held = this.#held === undefined ? bytes : Buffer.concat([this.#held, bytes]);
    this.#work();
  }

  drain(): void {
    this.#isFull = false;
    if (this.#isLeaving) return this.#wait(LIMITS.proxyLingerMs);
    if (this.#exchange === undefined) return;
    this.#waitForBody();
    this.#exchange.resume();
  }

  /** A client that says no more while it waits for an answer is gone; that is how most of them go. */
  end(): void {
    if (this.#exchange !== undefined) return this.#gone();
    this.#leave();
  }

  close(): void {
    this.#gone();
  }

  expire(): void {
    const isWaitedFor = this.#head === undefined ? this.#held !== undefined : this.#isBodyComing();
    if (this.#isLeaving || this.#isFull || !isWaitedFor || this.#isAnswered) return this.#gone();
    if (this.#head === undefined) return this.#refuse(new Refusal(408, "the head"));
    this.#exchange?.abort();
    this.fail(408, "the body");
  }

  // The answer, as the exchange brings it.

  interim(head: ResponseHead): void {
    if (this.#head?.isModern !== true) return;
    this.#write(answerText(head, { isChunked: false, connection: undefined }));
  }

  respond(head: ResponseHead, room: Buffer | undefined): void {
    const isModern = this.#head?.isModern === true;
    const isFramed = head.body === "chunked" || head.body === "close";
    this.#isAnswered = true;
    this.takesFrames = isModern;
    this.#isChunking = isModern && head.body === "close";
    this.#keepsAlive &&= !this.#isBodyComing() && (isModern || !isFramed);
    if (this.#visit !== undefined) this.#visit.status = head.status;
    this.#write(
      answerText(head, { isChunked: isFramed && isModern, connection: this.#connectionWord() }),
      room,
    );
  }

  body(bytes: Uint8Array): void {
    if (this.#visit !== undefined) this.#visit.bytesOut += bytes.length;
    this.#out.push(this.#isChunking ? chunkOf(bytes) : bytes);
    mergeLast(this.#out);
  }

  flush(): boolean {
    const parts = this.#out;
    if (parts.length > 0) {
      this.#out = [];
      for (const part of joined(parts)) this.#isFull = !this.#wire.write(part) || this.#isFull;
      if (this.#isFull) this.#wait(LIMITS.proxyStallMs);
    }
    return !this.#isFull;
  }

  finish(): void {
    if (this.#isChunking) this.#out.push(LAST_CHUNK);
    this.flush();
    this.#next();
  }

  fail(status: number, reason: string): void {
    if (this.#visit !== undefined) this.#visit.problem = reason;
    this.#answer(problem(status, reason));
  }

  cut(reason: string): void {
    if (this.#visit !== undefined) this.#visit.problem = reason;
    this.#exchange = undefined;
    this.#gone();
  }

  more(): void {
    this.#canServiceTake = true;
    this.#waitForBody();
    this.#wire.resume();
    this.#work();
  }

  upgrade(head: ResponseHead, service: Wire, first: Buffer): void {
    const visit = this.#visit;
    const place = this.#service;
    if (visit === undefined || place === undefined) return service.destroy();
    visit.status = head.status;
    visit.protocol = "WebSocket";
    this.#write(answerText(head, { isChunked: false, connection: "Upgrade" }));
    if (first.length > 0) this.#out.push(first);
    this.flush();
    this.#exchange = undefined;
    this.#visit = undefined;
    this.#deps.watch.delete(this);
    openTunnel(
      this.#wire,
      service,
      place,
      () => this.#deps.watch.now(),
      ({ bytesIn, bytesOut }) => {
        Object.assign(visit, { bytesIn, bytesOut: bytesOut + first.length });
        visit.end();
        this.#deps.crowd.leave(this);
      },
    );
    if (this.#held !== undefined) this.#wire.owner.data(this.#held);
    this.#wire.resume();
  }

  // The requests.

  #work(): void {
    if (this.#isWorking) return;
    this.#isWorking = true;
    while (this.#held !== undefined && !this.#isLeaving && !this.#wire.closed) {
      const before = this.#held;
      if (this.#head === undefined) this.#readHead(before);
      else if (this.#isBodyComing() && this.#canServiceTake) this.#readBody(before);
      else {
        // The next request waits for the end of this one; the end of the connection goes unnoticed only behind a lot of it.
        if (before.length > LIMITS.proxyAheadBytes || this.#isBodyComing()) this.#wire.pause();
        break;
      }
      if (this.#held === before) break;
    }
    this.#isWorking = false;
  }

  #readHead(held: Buffer): void {
    if (held[0] === CR && held[1] === LF) {
      // Some clients of old send an empty line behind a body.
      this.#held = rest(held, 2);
      return;
    }
    const end = held.indexOf("\r\n\r\n", 0, "latin1");
    if (end < 0 && held.length <= LIMITS.proxyHeadBytes) {
      if (!this.#isHeadBegun) this.#wait(LIMITS.proxyHeadMs);
      this.#isHeadBegun = true;
      return;
    }
    if (end < 0 || end > LIMITS.proxyHeadBytes) {
      const isLine = held.indexOf("\r\n", 0, "latin1") < 0;
      return this.#refuse(isLine ? new Refusal(414, "the address") : new Refusal(431, "the head"));
    }
    const head = readRequestHead(held.toString("latin1", 0, end + 2));
    if (head instanceof Refusal) return this.#refuse(head);
    this.#held = rest(held, end + 4);
    this.#begin(head);
  }

  #begin(head: RequestHead): void {
    const { desk, watch, responseMs } = this.#deps;
    const { route, place, answer } = desk.decide(head, this.#place.isSecure);
    this.#head = head;
    this.#visit = new Visit(this.#deps, this.#place, head, route);
    this.#keepsAlive = head.keepsAlive;
    this.#isAnswered = false;
    this.#isChunking = false;
    this.#canServiceTake = true;
    this.#scanner = head.body === "chunked" ? makeChunkScanner() : undefined;
    this.#left = typeof head.body === "number" ? head.body : 0;
    this.#service = place;
    this.deadlineMs = NEVER;
    if (place === undefined) return this.#answer(answer ?? problem(404));
    const exchange = new Exchange({
      head,
      origin: this.#place,
      place,
      caller: this,
      watch,
      responseMs: responseMs(),
    });
    this.#exchange = exchange;
    exchange.start();
    this.#waitForBody();
  }

  #readBody(held: Buffer): void {
    const exchange = this.#exchange;
    let end = held.length;
    if (this.#scanner !== undefined) {
      end = this.#scanner.scan(held, 0, (slice) => this.#send(slice));
      if (this.#scanner.bad) {
        exchange?.abort();
        this.#keepsAlive = false;
        return this.#isAnswered ? this.#gone() : this.fail(400, "a chunk that is none");
      }
    } else {
      end = Math.min(held.length, this.#left);
      this.#left -= end;
      this.#send(held.subarray(0, end));
    }
    // The service may have answered meanwhile, and all of this be over.
    if (this.#exchange !== exchange || this.#isLeaving) return;
    this.#held = rest(held, end);
    this.#waitForBody();
    if (!this.#isBodyComing()) exchange?.sendEnd();
    else if (!this.#canServiceTake) this.#wire.pause();
  }

  #send(bytes: Uint8Array): void {
    if (this.#visit !== undefined) this.#visit.bytesIn += bytes.length;
    if (this.#exchange?.send(bytes) === false) this.#canServiceTake = false;
  }

  #isBodyComing(): boolean {
    return this.#scanner === undefined ? this.#left > 0 : !this.#scanner.done;
  }

  /** The client has to say something of the body, unless it is the service that takes none. */
  #waitForBody(): void {
    if (this.#isBodyComing() && this.#canServiceTake) this.#wait(LIMITS.proxyBodyIdleMs);
    else if (!this.#isFull) this.deadlineMs = NEVER;
  }

  // The ends.

  #refuse({ status, reason }: Refusal): void {
    this.#keepsAlive = false;
    this.#deps.access.request({
      remote: this.#place.remote,
      protocol: "HTTP/1.1",
      isSecure: this.#place.isSecure,
      method: "",
      host: "",
      path: "",
      status,
      service: undefined,
      bytesIn: 0,
      bytesOut: 0,
      durationMs: 0,
      problem: reason,
    });
    this.#write(ownAnswerText(problem(status), false, "close"));
    this.flush();
    this.#leave();
  }

  #answer(answer: OwnAnswer): void {
    this.#keepsAlive &&= !this.#isBodyComing();
    if (this.#visit !== undefined) this.#visit.status = answer.status;
    this.#write(ownAnswerText(answer, this.#head?.method === "HEAD", this.#connectionWord()));
    this.flush();
    this.#next();
  }

  /** What the client could not know by itself. */
  #connectionWord(): AnswerOptions["connection"] {
    if (!this.#keepsAlive) return "close";
    return this.#head?.isModern === true ? undefined : "keep-alive";
  }

  /** The request is answered. */
  #next(): void {
    this.#visit?.end();
    this.#visit = undefined;
    this.#exchange = undefined;
    this.#service = undefined;
    if (!this.#keepsAlive) return this.#leave();
    this.#head = undefined;
    this.#isHeadBegun = false;
    this.#wait(LIMITS.proxyIdleMs);
    this.#wire.resume();
    this.#work();
  }

  /** Says that this was all, and listens on for a moment: an answer is lost where its connection is cut at once. */
  #leave(): void {
    if (this.#isLeaving) return;
    this.#isLeaving = true;
    this.#held = undefined;
    this.#wait(this.#isFull ? LIMITS.proxyStallMs : LIMITS.proxyLingerMs);
    this.#wire.resume();
    this.#wire.end();
  }

  #gone(): void {
    this.#deps.watch.delete(this);
    this.#deps.crowd.leave(this);
    this.#isLeaving = true;
    this.#held = undefined;
    const exchange = this.#exchange;
    this.#exchange = undefined;
    exchange?.abort();
    this.#visit?.end();
    this.#visit = undefined;
    this.#wire.destroy();
  }

  #write(text: string, room?: Buffer): void {
    if (room === undefined || text.length > room.length) return void this.#out.push(text);
    const start = room.length - text.length;
    room.write(text, start, "latin1");
    this.#out.push(room.subarray(start));
  }

  #wait(ms: number): void {
    this.deadlineMs = this.#deps.watch.now() + ms;
  }
}

const CR = 0x0d;
const LF = 0x0a;

function rest(bytes: Buffer, from: number): Buffer | undefined {
  return from < bytes.length ? bytes.subarray(from) : undefined;
}
