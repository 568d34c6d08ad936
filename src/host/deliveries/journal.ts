/**
 * Writes what became of deliveries: those of all plugins that end in one turn of the event loop share one transaction. A queue
 * waits for it before it runs its next event, so a crash repeats at most the one delivery that each plugin had in hand.
 * Made by dispatcher.ts, called by queue.ts.
 */
import { timestamp, type Clock } from "../../base/clock.ts";
import type { DeliveryChange, DeliveryRows } from "../../state/deliveries.ts";

export interface Journal {
  /** Resolves when the change is in the database; rejects where it can't be written. */
  write(change: DeliveryChange): Promise<void>;
  /** Writes now what still waits for the end of the turn. */
  flush(): void;
}

export interface JournalOptions {
  readonly deliveries: Pick<DeliveryRows, "update">;
  readonly clock: Clock;
  /** Told after the commit. */
  readonly touch: (eventSeq: number) => void;
}

export function makeJournal({ deliveries, clock, touch }: JournalOptions): Journal {
  let changes: DeliveryChange[] = [];
  let commit = Promise.withResolvers<void>();

  function flush(): void {
    if (changes.length === 0) return;
    const batch = { changes, commit };
    changes = [];
    commit = Promise.withResolvers<void>();
    try {
      deliveries.update(batch.changes, timestamp(clock.now()));
    } catch (error) {
      batch.commit.reject(error);
      return;
    }
    batch.commit.resolve();
    for (const change of batch.changes) touch(change.eventSeq);
  }

  return {
    write(change) {
      if (changes.push(change) === 1) setImmediate(flush);
      return commit.promise;
    },
    flush,
  };
}
