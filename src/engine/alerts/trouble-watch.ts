/**
 * Built-in alerts about parts that report their own state: plugins that are in trouble, channels that take no messages. A finding for each
 * that is in trouble now. Made by the daemon.
 */
import type { Clock } from "../../base/clock.ts";
import type { AlertRow } from "../../state/alerts.ts";
import type { Finding, Watch } from "./finding.ts";

export interface Trouble {
  /** A plugin's or a channel's name. */
  readonly subject: string;
  /** One sentence for people. */
  readonly message: string;
  /** Whether it still is can't be told now: it stays as it was. */
  readonly isUnclear?: true;
}

export interface TroubleWatchDeps {
  /** The alert's name. */
  readonly name: string;
  /** `firing`: what was in trouble before, also before a restart. */
  readonly look: (firing: readonly AlertRow[]) => Promise<readonly Trouble[]>;
  /** How often is looked: what was found last counts meanwhile. */
  readonly everyMs: number;
  readonly clock: Clock;
}

export function makeTroubleWatch({ name, look, everyMs, clock }: TroubleWatchDeps): Watch {
  let last: readonly Trouble[] = [];
  let nextAt = Number.NEGATIVE_INFINITY;
  return {
    what: name,
    owns: (other) => other === name,
    async *look(firing) {
      if (clock.monotonic() >= nextAt) {
        last = await look(firing);
        nextAt = clock.monotonic() + everyMs;
      }
      for (const trouble of last) yield findingOf(name, trouble);
    },
  };
}

// --- internal ---

function findingOf(name: string, { subject, message, isUnclear }: Trouble): Finding {
  const state = isUnclear === true ? "unclear" : "on";
  return { name, subject, service: null, state, metric: name, value: 1, threshold: 1, message };
}
