/**
 * Passes of repairs over one machine, one at a time, repeated with back-off while something is amiss. Each machine has a round of its
 * own, so that one that does not answer holds up nobody else's repairs. Called by reconcile.ts.
 */
import type { Clock } from "../base/clock.ts";
import { messageOf } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import type { Log } from "../base/log.ts";
import { waitAt } from "../base/waits.ts";

export interface RepairRound {
  /** A pass, soon. */
  request(): void;
  /** A pass after the first pause, if none comes sooner. */
  later(): void;
  /** Resolves when no pass is under way any more. */
  idle(): Promise<void>;
  /** No pass begins after this. */
  close(): void;
}

export interface RoundOptions {
  readonly server: string;
  /** Gives what is still amiss, as words. */
  readonly pass: () => Promise<readonly string[]>;
  readonly clock: Clock;
  readonly log: Log;
}

export function makeRepairRound({ server, pass, clock, log }: RoundOptions): RepairRound {
  let underWay: Promise<void> | undefined;
  let again = false;
  let closed = false;
  let failures = 0;
  let reported = "";
  let cancelTimer = (): void => {};

  async function run(): Promise<void> {
    const amiss = await pass();
    report(amiss);
    failures = amiss.length === 0 ? 0 : failures + 1;
    if (failures > 0 && !closed)
      cancelTimer = clock.after(waitAt(LIMITS.reconcileBackoffMs, failures - 1), request);
  }

  /** What is amiss is said once, not at every try. */
  function report(amiss: readonly string[]): void {
    const text = amiss.toSorted().join("; ");
    if (text !== "" && text !== reported)
      log.warn("not everything is as it should be; trying again", { server, amiss });
    reported = text;
  }

  function request(): void {
    if (closed) return;
    cancelTimer();
    if (underWay !== undefined) {
      again = true;
      return;
    }
    again = false;
    underWay = run()
      .catch((error: unknown) => log.error("repairing failed", { server, error: messageOf(error) }))
      .finally(() => {
        underWay = undefined;
        if (again) request();
      });
  }

  return {
    request,
    later() {
      cancelTimer();
      if (!closed) cancelTimer = clock.after(waitAt(LIMITS.reconcileBackoffMs, 0), request);
    },
    async idle() {
      for (let current = underWay; current !== undefined; current = underWay) await current;
    },
    close() {
      closed = true;
      cancelTimer();
    },
  };
}
