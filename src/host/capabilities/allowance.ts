/**
 * How much of the daemon one plugin's transfers may hold at a time: so many at once (the others wait), so many bytes
 * together. Called by net-fetch.ts, net-connect.ts and fs.ts.
 */
import { fail } from "../../base/errors.ts";
import { formatBytes } from "../../base/text.ts";

export interface Allowance {
  /** Waits for a free place; rejects with the signal's reason. */
  enter(signal: AbortSignal): Promise<Lease>;
}

export interface Lease {
  /** Throws `capability.limit` where the plugin would hold too much. */
  hold(bytes: number): void;
  /** Gives back the place and all that was held. */
  leave(): void;
}

export interface AllowanceBounds {
  readonly places: number;
  readonly bytes: number;
}

/** One for each plugin, made when it is first asked for. */
export function makeAllowances(bounds: AllowanceBounds): (plugin: string) => Allowance {
  const all = new Map<string, Allowance>();
  return (plugin) => {
    const found = all.get(plugin) ?? makeAllowance(bounds);
    all.set(plugin, found);
    return found;
  };
}

export function makeAllowance(bounds: AllowanceBounds): Allowance {
  let free = bounds.places;
  let held = 0;
  const waiting: (() => void)[] = [];

  /** The place goes straight to who waits longest. */
  function release(): void {
    const next = waiting.shift();
    if (next === undefined) free++;
    else next();
  }

  function lease(): Lease {
    let mine = 0;
    let left = false;
    return {
      hold(bytes) {
        if (held + bytes > bounds.bytes)
          throw fail(
            "capability.limit",
            `requests and answers of one plugin may hold ${formatBytes(bounds.bytes)} at a time; wait for some to end`,
          );
        held += bytes;
        mine += bytes;
      },
      leave() {
        if (left) return;
        left = true;
        held -= mine;
        release();
      },
    };
  }

  return {
    async enter(signal) {
      signal.throwIfAborted();
      if (free > 0) free--;
      else await place(waiting, signal);
      return lease();
    },
  };
}

// --- internal ---

/** Resolves when a place was handed over. */
function place(waiting: (() => void)[], signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      waiting.splice(waiting.indexOf(go), 1);
      reject(signal.reason as Error);
    };
    const go = (): void => {
      signal.removeEventListener("abort", stop);
      resolve();
    };
    signal.addEventListener("abort", stop, { once: true });
    waiting.push(go);
  });
}
