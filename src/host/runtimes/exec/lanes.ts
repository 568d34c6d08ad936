/**
 * How many actions of one provider run at a time: those that change something, those that look, and commands inside instances each have
 * room of their own, so that looks which hang never keep an instance from being stopped. Who is too many waits. Used by action-desk.ts.
 */
import { LIMITS } from "../../../base/limits.ts";
import type { ProviderAction } from "../../../base/provider-actions.ts";

export interface Lanes {
  /** Runs `work` once there is room, in order. An aborted signal takes it out of the line. */
  run<T>(action: ProviderAction, signal: AbortSignal, work: () => Promise<T>): Promise<T>;
}

export function makeLanes(): Lanes {
  const lanes = new Map<LaneName, Lane>();
  function laneOf(action: ProviderAction): Lane {
    const name = LANES[action];
    const lane = lanes.get(name) ?? { free: WIDTHS[name], waiting: [] };
    lanes.set(name, lane);
    return lane;
  }
  return {
    async run(action, signal, work) {
      const lane = laneOf(action);
      await enter(lane, signal);
      try {
        return await work();
      } finally {
        leave(lane);
      }
    },
  };
}

// --- internal ---

type LaneName = "change" | "look" | "exec";

interface Lane {
  free: number;
  readonly waiting: (() => void)[];
}

const LANES: Readonly<Record<ProviderAction, LaneName>> = {
  create: "change",
  start: "change",
  stop: "change",
  destroy: "change",
  status: "look",
  logs: "look",
  stats: "look",
  exec: "exec",
};

const WIDTHS: Readonly<Record<LaneName, number>> = {
  change: LIMITS.providerChangesAtOnce,
  look: LIMITS.providerLooksAtOnce,
  exec: LIMITS.providerExecsAtOnce,
};

async function enter(lane: Lane, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  if (lane.free > 0) {
    lane.free--;
    return;
  }
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const giveUp = (): void => {
    lane.waiting.splice(lane.waiting.indexOf(admit), 1);
    reject(signal.reason as Error);
  };
  // Whoever has a place is in the line no more: a later abort must take nobody else out of it.
  const admit = (): void => {
    signal.removeEventListener("abort", giveUp);
    resolve();
  };
  lane.waiting.push(admit);
  signal.addEventListener("abort", giveUp, { once: true });
  await promise;
}

/** Its place goes to whoever waited longest. */
function leave(lane: Lane): void {
  const next = lane.waiting.shift();
  if (next === undefined) lane.free++;
  else next();
}
