/**
 * The connections to services: those that wait to be used again, and the work that goes on over the others, by the instance that
 * they lead to. Remembers for a moment which instance takes none. Composed by proxy.ts.
 */
import type { Clock } from "../../../base/clock.ts";
import type { Upstream } from "../../providers/provider.ts";
import { LIMITS } from "../../../base/limits.ts";
import { connectPlain, type PlainWire } from "../wire/plain-wire.ts";
import type { Watch } from "../watch.ts";
import { makeIdleWires, type IdleWires } from "./idle-wires.ts";

export interface Pool {
  place(upstream: Upstream): Place;
  /** As much is under way as may be. */
  isFull(): boolean;
  /**
   * Lets go of the instance: what is idle is closed, what is under way may end. Work that still goes on after `timeoutMs`, or at the
   * signal, is cut off. No new work may come for it meanwhile.
   */
  drain(upstream: Upstream, timeoutMs: number, signal: AbortSignal): Promise<void>;
  /** The same for all of them, at the end of the daemon. */
  closeAll(timeoutMs: number): Promise<void>;
}

/** One instance. */
export interface Place {
  begin(work: Work): void;
  /** False where it was not under way any more. */
  end(work: Work): boolean;
  /** A connection that waited for less than `ageMs`. */
  take(ageMs: number): PlainWire | undefined;
  /** It can be used again. */
  release(wire: PlainWire): void;
  /** Takes it from the service's view: it may be closed from both sides in peace. */
  leave(wire: PlainWire): void;
  /** A new connection. Where nobody listens it tries for a moment, as long as `isWanted`: a service that is being restarted comes back. */
  connect(isWanted: () => boolean): Promise<PlainWire | Unreached>;
}

export type Unreached = "refused" | "timeout";

export interface Work {
  /** Told now and then while the instance is drained: what nobody needs may end. */
  giveWay(nowMs: number): void;
  /** Told when it may go on no longer: whoever waits for it must learn that. */
  cutOff(): void;
}

/** `most` at a time may be under way. */
export function makePool(clock: Clock, watch: Watch, most: number): Pool {
  const places = new Map<string, OwnPlace>();
  const count = { underWay: 0 };

  async function drain(place: OwnPlace, timeoutMs: number, signal?: AbortSignal): Promise<void> {
    place.retire();
    const end = clock.monotonic() + timeoutMs;
    const mayGoOn = (): boolean => clock.monotonic() < end && signal?.aborted !== true;
    while (place.work.size > 0 && mayGoOn()) {
      for (const work of place.work) work.giveWay(clock.monotonic());
      await clock.sleep(POLL_MS, signal).catch(() => {});
    }
    for (const work of place.work) work.cutOff();
  }

  return {
    place(upstream) {
      const key = upstreamKey(upstream);
      const found = places.get(key);
      if (found !== undefined) return found;
      const place = makePlace(upstream, clock, watch, count);
      places.set(key, place);
      return place;
    },
    isFull: () => count.underWay >= most,
    async drain(upstream, timeoutMs, signal) {
      const key = upstreamKey(upstream);
      const place = places.get(key);
      if (place === undefined) return;
      await drain(place, timeoutMs, signal);
      if (places.get(key) === place) places.delete(key);
    },
    async closeAll(timeoutMs) {
      await Promise.all(Array.from(places.values(), (place) => drain(place, timeoutMs)));
    },
  };
}

// --- internal ---

const POLL_MS = 20;

interface OwnPlace extends Place {
  readonly work: ReadonlySet<Work>;
  /** Keeps no connection for later any more. */
  retire(): void;
}

function makePlace(upstream: Upstream, clock: Clock, watch: Watch, count: { underWay: number }): OwnPlace {
  const work = new Set<Work>();
  const idle: IdleWires = makeIdleWires(watch);
  let isRetired = false;
  /** Until then nobody waits for it to come back. */
  let downUntil = 0;
  let isUnreachable = false;

  return {
    work,
    begin(one) {
      work.add(one);
      count.underWay++;
    },
    end(one) {
      const was = work.delete(one);
      if (was) count.underWay--;
      return was;
    },
    take: (ageMs) => idle.take(ageMs),
    release(wire) {
      if (isRetired) idle.leave(wire);
      else idle.add(wire);
    },
    leave: (wire) => idle.leave(wire),
    async connect(isWanted) {
      const pauses = clock.monotonic() < downUntil ? [] : [...LIMITS.proxyConnectPausesMs];
      if (isUnreachable && clock.monotonic() < downUntil) return "timeout";
      for (;;) {
        const wire = await connectWithin(upstream, clock);
        isUnreachable = wire === "timeout";
        if (wire !== "timeout" && wire !== "refused") {
          downUntil = 0;
          return wire;
        }
        const pause = wire === "timeout" ? undefined : pauses.shift();
        if (pause === undefined) downUntil = clock.monotonic() + LIMITS.proxyDownMs;
        if (pause === undefined || !isWanted()) return wire;
        await clock.sleep(pause);
      }
    },
    retire() {
      isRetired = true;
      idle.closeAll();
    },
  };
}

/** What comes after nobody waits any more is closed again. */
async function connectWithin(upstream: Upstream, clock: Clock): Promise<PlainWire | Unreached> {
  const { promise, resolve } = Promise.withResolvers<"timeout">();
  let isOver = false;
  const cancel = clock.after(LIMITS.proxyConnectMs, () => resolve("timeout"));
  const connecting = connectPlain(upstream).then(
    (wire) => {
      if (isOver) wire.destroy();
      return wire;
    },
    () => "refused" as const,
  );
  const result = await Promise.race([connecting, promise]);
  isOver = true;
  cancel();
  return result;
}

function upstreamKey({ host, port }: Upstream): string {
  return `${host} ${port}`;
}
