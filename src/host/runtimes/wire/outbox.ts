/**
 * The door out of a guest, beside the guest: what the guest sends to the daemon, bounded. A message that is too large or too deep
 * and a call too many are refused here, and a flood of log lines is counted instead of sent. The daemon checks again what it gets;
 * this keeps it from having to end the guest. Used by js/guest-desk.ts and process/child/daemon-line.ts.
 */
import type { Clock } from "../../../base/clock.ts";
import { LIMITS } from "../../../base/limits.ts";
import { formatBytes } from "../../../base/text.ts";
import { makeFloodGate } from "../../capabilities/flood-gate.ts";
import { measureJson } from "./json-shape.ts";
import { BODY_BYTES_MAX, failureBody, fitsMessage, LOG_CHARS_MAX, notice } from "./messages.ts";

export interface Outbox {
  /** A call of the broker: its number and its parameters, as JSON text. The empty string, or why it was not sent. */
  host(id: number, body: string): string;
  /** A call needs no answer any more. It counts as waiting until the daemon has answered it all the same. */
  cancel(id: number): void;
  /** The daemon answered a call. */
  hostAnswered(id: number): void;
  /** A log line's parameters, as JSON text. */
  log(body: string): void;
  /** The guest's answer to a hook or to `load`: `"result":…` or `"error":…`. */
  answer(id: number, body: string): void;
}

/** `embed` puts the bytes of a message in. */
export function makeOutbox(
  post: (text: string) => void,
  embed: (text: string) => string,
  clock: Pick<Clock, "monotonic" | "after">,
): Outbox {
  /** Characters of each call that waits. */
  const pending = new Map<number, number>();
  const logs = makeFloodGate(clock, { burst: LIMITS.logBurst, perSecond: LIMITS.logPerSecond }, (dropped) =>
    post(
      notice("log", {
        level: "warn",
        text: `${dropped} lines were dropped: more than ${LIMITS.logPerSecond} a second`,
      }),
    ),
  );
  return {
    host(id, body) {
      if (pending.size >= LIMITS.guestPendingCalls)
        return `more than ${LIMITS.guestPendingCalls} calls wait for an answer`;
      const shape = refuseShape(body);
      // With its bytes in, the message is longer and has the shape that it had.
      const whole = shape === "" ? embed(body) : body;
      const refusal = refuseSize(whole) || shape;
      if (refusal !== "") return refusal;
      const held = [...pending.values()].reduce((sum, chars) => sum + chars, whole.length);
      if (held > LIMITS.guestPendingBytes)
        return `the calls that wait have more than ${formatBytes(LIMITS.guestPendingBytes)}`;
      pending.set(id, whole.length);
      post(`{"jsonrpc":"2.0","id":${id},"method":"host","params":${whole}}`);
      return "";
    },
    cancel(id) {
      if (pending.has(id)) post(notice("cancel", { id }));
    },
    hostAnswered: (id) => void pending.delete(id),
    log(body) {
      if (body.length <= LOG_CHARS_MAX && logs.pass())
        post(`{"jsonrpc":"2.0","method":"log","params":${body}}`);
    },
    answer(id, body) {
      const refusal = refuse(body);
      post(`{"jsonrpc":"2.0","id":${id},${refusal === "" ? body : refusedBody(refusal)}}`);
    },
  };
}

// --- internal ---

function refuse(text: string): string {
  return refuseSize(text) || refuseShape(text);
}

function refuseSize(text: string): string {
  if (fitsMessage(text, BODY_BYTES_MAX)) return "";
  const bytes = text.length > BODY_BYTES_MAX ? text.length : Buffer.byteLength(text);
  return `the message has ${formatBytes(bytes)}, at most ${formatBytes(LIMITS.messageBytes)} can be sent`;
}

function refuseShape(text: string): string {
  const { values, depth } = measureJson(text);
  if (values > LIMITS.messageValues) return `the message has more than ${LIMITS.messageValues} values`;
  return depth > LIMITS.messageDepth ? `the message is nested deeper than ${LIMITS.messageDepth} levels` : "";
}

function refusedBody(reason: string): string {
  return failureBody({ kind: "refused", thrown: { name: "", message: reason, stack: "", code: "" } });
}
