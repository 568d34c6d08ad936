/**
 * Connections to one instance that wait for the next request. One on which the service says anything, or that it closes, is no
 * longer good: an answer that nobody asked for must never reach a client. Called by pool.ts.
 */
import { LIMITS } from "../../../base/limits.ts";
import type { PlainWire } from "../wire/plain-wire.ts";
import type { WireOwner } from "../wire/wire.ts";
import type { Watch, Watched } from "../watch.ts";

export interface IdleWires {
  /** The one that was added last, if that is less than `ageMs` ago. */
  take(ageMs: number): PlainWire | undefined;
  add(wire: PlainWire): void;
  /** Closes it when the service does, or after a while. */
  leave(wire: PlainWire): void;
  closeAll(): void;
}

export function makeIdleWires(watch: Watch): IdleWires {
  const waiting: IdleWire[] = [];

  const idle: IdleWires = {
    take(ageMs) {
      const last = waiting.at(-1);
      if (last === undefined || watch.now() - last.sinceMs >= ageMs) return undefined;
      waiting.pop();
      watch.delete(last);
      return last.wire;
    },
    add(wire) {
      if (wire.closed) return;
      if (waiting.length >= LIMITS.proxyIdleUpstreams) return idle.leave(wire);
      const entry = new IdleWire(wire, watch, LIMITS.proxyIdleUpstreamMs, () => {
        const index = waiting.indexOf(entry);
        if (index >= 0) waiting.splice(index, 1);
      });
      waiting.push(entry);
      watch.add(entry);
    },
    leave(wire) {
      if (wire.closed) return;
      watch.add(new IdleWire(wire, watch, LIMITS.proxyLingerMs, () => {}));
      wire.end();
    },
    closeAll() {
      for (const { wire } of waiting.splice(0)) idle.leave(wire);
    },
  };
  return idle;
}

// --- internal ---

class IdleWire implements WireOwner, Watched {
  deadlineMs: number;
  readonly wire: PlainWire;
  readonly sinceMs: number;
  readonly #watch: Watch;
  readonly #gone: () => void;

  constructor(wire: PlainWire, watch: Watch, forMs: number, gone: () => void) {
    this.wire = wire;
    this.#watch = watch;
    this.#gone = gone;
    this.sinceMs = watch.now();
    this.deadlineMs = this.sinceMs + forMs;
    wire.owner = this;
  }

  data(): void {
    this.expire();
  }
  drain(): void {}
  end(): void {
    this.expire();
  }
  close(): void {
    this.#watch.delete(this);
    this.#gone();
  }
  expire(): void {
    this.close();
    this.wire.destroy();
  }
}
