/**
 * What the guests of one plugin went through lately, and what follows: pauses and suspension (breaker.ts), strikes (strikes.ts).
 * Called by supervisor.ts and room-caller.ts.
 */
import type { Clock } from "../../base/clock.ts";
import { makeBreaker, type Breaker, type Suspension } from "./breaker.ts";
import type { RoomKind } from "./runtime.ts";
import { makeStrikes } from "./strikes.ts";

export interface Health extends Pick<Breaker, "pauseMs" | "worked" | "suspension"> {
  /** A guest is no more, or, without a kind, never was. An error that is nobody's fault counts for nothing. */
  died(error: unknown, kind?: RoomKind): void;
  /** The next room is opened at once, whatever happened before. */
  forgive(): void;
  /** As if nothing had happened ever: what runs is another version, or in another room. */
  forget(): void;
  /** Guests that had to be stopped in the last ten minutes. */
  strikes(): number;
}

/** Told of each guest that had to be stopped: which kind of room it was in, and how many in the last ten minutes. */
export type Struck = (kind: RoomKind, recent: number) => void;

/** Told when a suspension begins; also after a trial that failed. */
export type Suspended = (suspension: Suspension) => void;

export interface HealthOptions {
  readonly plugin: string;
  readonly clock: Clock;
  readonly struck?: Struck;
  readonly suspended?: Suspended;
}

export function makeHealth({ plugin, clock, struck, suspended }: HealthOptions): Health {
  const breaker = makeBreaker(plugin, clock);
  const strikes = makeStrikes(clock);
  return {
    pauseMs: () => breaker.pauseMs(),
    worked: () => breaker.worked(),
    suspension: () => breaker.suspension(),
    died(error, kind) {
      const counts = breaker.failed(error);
      if (strikes.note(error) && kind !== undefined) struck?.(kind, strikes.recent());
      // After the strike: in another room it starts anew.
      const suspension = counts ? breaker.suspension() : undefined;
      if (suspension !== undefined) suspended?.(suspension);
    },
    forgive: () => breaker.reset(),
    forget() {
      breaker.reset();
      strikes.forget();
    },
    strikes: () => strikes.recent(),
  };
}
