/** Counts the guests of one plugin that had to be stopped in the last ten minutes. Called by health.ts. */
import type { Clock } from "../../base/clock.ts";
import { isVoxError } from "../../base/errors.ts";
import { LIMITS } from "../../base/limits.ts";

export interface Strikes {
  /** Counts it where it says that the guest had to be stopped; true then. */
  note(error: unknown): boolean;
  recent(): number;
  /** Another version, or another room: what the old one did says nothing of it. */
  forget(): void;
}

export function makeStrikes(clock: Clock): Strikes {
  let strikes: readonly number[] = [];
  return {
    note(error) {
      const counts = isVoxError(error) && COUNTED.has(error.code);
      if (counts) strikes = [...strikes, clock.monotonic()];
      return counts;
    },
    recent() {
      const oldest = clock.monotonic() - LIMITS.strikeWindowMs;
      strikes = strikes.filter((at) => at > oldest);
      return strikes.length;
    },
    forget() {
      strikes = [];
    },
  };
}

// --- internal ---

const COUNTED: ReadonlySet<string> = new Set(["plugin.timeout", "plugin.out_of_memory", "plugin.crashed"]);
