/** Counts the guests of one plugin that had to be stopped in the last ten minutes. Called by supervisor.ts. */
import type { Clock } from "../../base/clock.ts";
import { isVoxError } from "../../base/errors.ts";
import { LIMITS } from "../../base/limits.ts";

export interface Strikes {
  /** Counts it where it says that the guest had to be stopped. */
  note(error: unknown): void;
  recent(): number;
}

export function makeStrikes(clock: Clock): Strikes {
  let strikes: readonly number[] = [];
  return {
    note(error) {
      if (isVoxError(error) && COUNTED.has(error.code)) strikes = [...strikes, clock.monotonic()];
    },
    recent() {
      const oldest = clock.monotonic() - LIMITS.strikeWindowMs;
      strikes = strikes.filter((at) => at > oldest);
      return strikes.length;
    },
  };
}

// --- internal ---

const COUNTED: ReadonlySet<string> = new Set(["plugin.timeout", "plugin.out_of_memory", "plugin.crashed"]);
