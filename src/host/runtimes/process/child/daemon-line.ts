/**
 * The daemon as a process sees it that does one thing at a time: it asks and waits, and what comes meanwhile waits too. Used by
 * wasm-main.ts.
 */
import { fail, fromWire, type WireError } from "../../../../base/errors.ts";
import { LIMITS } from "../../../../base/limits.ts";
import type { LogLevel } from "../../../../base/log.ts";
import { makeBlockingFrames } from "../../../frames/blocking-frames.ts";
import { frameText } from "../../../frames/frame.ts";
import { bytesFromJson, bytesToJson } from "../../wasm/bytes-in-json.ts";
import type { HookParams, LoadParams } from "../../wire/messages.ts";
import { makeOutbox } from "../../wire/outbox.ts";
import { endProcess } from "./end-process.ts";
import { makeGarbageMeter } from "./garbage-meter.ts";
import { makeHookClock } from "./hook-clock.ts";

export interface DaemonLine {
  /** What the daemon wants next. */
  next(): DaemonRequest;
  /** The request is done with: one that was large must not lie beside its answer. */
  dropRequest(): void;
  /** `"result":…` or `"error":…`. */
  answer(id: number, body: string): void;
  /** Asks the broker. Throws what it refuses with. */
  readonly callHost: (method: string, params: unknown) => unknown;
  readonly log: (level: LogLevel, text: string) => void;
  /** Sends a message as it is. */
  tell(text: string): void;
}

export type DaemonRequest =
  | { readonly id: number; readonly method: "load"; readonly params: LoadParams }
  | { readonly id: number; readonly method: "hook"; readonly params: HookParams };

export function openDaemonLine(descriptor: number): DaemonLine {
  const frames = makeBlockingFrames(descriptor);
  const garbage = makeGarbageMeter();
  const clock = makeHookClock();
  const outbox = makeOutbox(tell, (text) => text, clock);
  const early: DaemonRequest[] = [];
  let lastId = 0;
  /** Of the largest message since the last one was done with. */
  let largest = 0;
  let begun = clock.monotonic();

  function tell(text: string): void {
    garbage.passed(text.length);
    frames.sendText(text);
  }

  function read(): Incoming {
    const frame = frames.read();
    // The daemon has let go, maybe in the middle of a call of the module.
    if (frame === undefined) endProcess();
    garbage.passed(frame.length);
    largest = Math.max(largest, frame.length);
    return JSON.parse(frameText(frame) ?? "") as Incoming;
  }

  /** What was held until the work was over: nothing else has its turn here. */
  function tidy(): void {
    clock.runDue();
    if (garbage.isDue()) Bun.gc(true);
  }

  function nextRequest(): DaemonRequest {
    for (;;) {
      const message = early.shift() ?? read();
      if (message.method !== undefined) return message;
    }
  }

  return {
    tell,
    next() {
      garbage.worked(clock.monotonic() - begun);
      tidy();
      const message = nextRequest();
      tidy();
      begun = clock.monotonic();
      return message;
    },
    dropRequest() {
      if (largest >= LARGE_BYTES) Bun.gc(true);
      largest = 0;
    },
    answer: (id, body) => outbox.answer(id, body),
    callHost(method, params) {
      const id = ++lastId;
      const refusal = outbox.host(id, JSON.stringify({ method, params: bytesToJson(params) }));
      if (refusal !== "") throw fail("capability.limit", `${method}: ${refusal}`);
      for (;;) {
        const message = read();
        if (message.method !== undefined) early.push(message);
        else if (message.id === id) {
          outbox.hostAnswered(id);
          if (message.error !== undefined) throw fromWire(message.error.data);
          return bytesFromJson(message.result);
        }
      }
    },
    log: (level, text) => outbox.log(JSON.stringify({ level, text: text.slice(0, LIMITS.logTextChars) })),
  };
}

// --- internal ---

const LARGE_BYTES = LIMITS.processGarbageBytes / 8;

type Incoming = DaemonRequest | HostAnswer;

interface HostAnswer {
  readonly id: number;
  readonly method?: undefined;
  readonly result?: unknown;
  readonly error?: { readonly data: WireError };
}
