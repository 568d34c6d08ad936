/**
 * `poll_oneoff`: how the languages' runtimes sleep. The process sleeps with its module: nothing else runs in it, and the
 * deadline is kept from outside. Called by wasi-own.ts.
 */
import { LIMITS } from "../../../base/limits.ts";
import { ERRNO } from "./wasi-errno.ts";

export interface PollOptions {
  readonly memory: () => WebAssembly.Memory;
  readonly isOpen: (fd: number) => boolean;
}

export function makePoll({ memory, isOpen }: PollOptions): (...args: never[]) => number {
  return (from: number, to: number, count: number, countAt: number) => {
    if (count < 1 || count > LIMITS.wasiVectors) return ERRNO.invalid;
    const view = new DataView(memory().buffer);
    const wanted = Array.from({ length: count }, (_, i) =>
      readSubscription(view, (from >>> 0) + i * SUBSCRIPTION_BYTES),
    );
    const happened = ready(wanted);
    // Answered before it waits: a pointer that leads nowhere shall not cost the time.
    view.setUint32(countAt, happened.length, true);
    for (const [i, each] of happened.entries()) writeEvent(view, (to >>> 0) + i * EVENT_BYTES, each, isOpen);
    const waitMs = happened[0]?.waitMs ?? 0;
    if (waitMs > 0) Bun.sleepSync(waitMs);
    return ERRNO.success;
  };
}

// --- internal ---

const SUBSCRIPTION_BYTES = 48;
const EVENT_BYTES = 32;
const CLOCK = 0;
const FD_WRITE = 2;
const REALTIME = 0;
const ABSOLUTE = 1;
const HANGUP = 1;
const LONGEST_MS = LIMITS.hookMaxMs;

interface Subscription {
  readonly userdata: bigint;
  readonly kind: number;
  readonly fd: number;
  /** Until it happens. A descriptor is always ready: stdin is at its end, the others take what they are given. */
  readonly waitMs: number;
}

function readSubscription(view: DataView, at: number): Subscription {
  const kind = view.getUint8(at + 8);
  const waitMs = kind === CLOCK ? clockMs(view, at) : 0;
  return { userdata: view.getBigUint64(at, true), kind, fd: view.getUint32(at + 16, true), waitMs };
}

function clockMs(view: DataView, at: number): number {
  const ms = Number(view.getBigUint64(at + 24, true)) / 1e6;
  const isAbsolute = (view.getUint16(at + 40, true) & ABSOLUTE) !== 0;
  const isRealtime = view.getUint32(at + 16, true) === REALTIME;
  const now = isAbsolute ? performance.now() + (isRealtime ? performance.timeOrigin : 0) : 0;
  return Math.min(Math.max(0, ms - now), LONGEST_MS);
}

/** Those that happen first. */
function ready(wanted: readonly Subscription[]): readonly Subscription[] {
  const soonest = Math.min(...wanted.map(({ waitMs }) => waitMs));
  return wanted.filter(({ waitMs }) => waitMs === soonest);
}

function writeEvent(
  view: DataView,
  at: number,
  { userdata, kind, fd }: Subscription,
  isOpen: (fd: number) => boolean,
): void {
  const isBad = kind !== CLOCK && !isOpen(fd);
  view.setBigUint64(at, userdata, true);
  view.setUint16(at + 8, isBad ? ERRNO.badDescriptor : ERRNO.success, true);
  view.setUint8(at + 10, kind);
  view.setBigUint64(at + 16, kind === FD_WRITE ? BigInt(LIMITS.messageBytes) : 0n, true);
  view.setUint16(at + 24, kind === CLOCK || kind === FD_WRITE ? 0 : HANGUP, true);
}
