/**
 * Turns events of the outbox into deliveries: for each event one for each plugin that handles its hook now and is not its gate,
 * all in one transaction, so that a crash leaves an event either waiting or fanned out. Forgets old events as new ones come.
 * Called by dispatcher.ts.
 */
import { timestamp, type Clock } from "../../base/clock.ts";
import { LIMITS } from "../../base/limits.ts";
import type { HookName } from "../../sdk/index.ts";
import type { DeliveryRows, PendingDelivery } from "../../state/deliveries.ts";
import type { EventRows, StoredEvent } from "../../state/events.ts";
import type { PluginRunner } from "./plugin-runner.ts";

export interface FanOutOptions {
  readonly runner: Pick<PluginRunner, "subscribers">;
  readonly events: EventRows;
  readonly deliveries: DeliveryRows;
  readonly transaction: <T>(work: () => T) => T;
  readonly clock: Clock;
}

export interface FannedOut {
  readonly events: readonly StoredEvent[];
  /** Plugins that have something new, and what it is; empty where only the database can say. */
  readonly fresh: ReadonlyMap<string, readonly PendingDelivery[]>;
  /** There may be more in the outbox. */
  readonly more: boolean;
}

/** Gives a function that fans out the oldest events, a few milliseconds' worth of them. */
export function makeFanOut({ runner, events, deliveries, transaction, clock }: FanOutOptions) {
  let sincePruned = PRUNE_EVERY;

  function prune(): void {
    if (sincePruned < PRUNE_EVERY) return;
    // More than came, so that a backlog of old rows shrinks too.
    events.prune(LIMITS.eventRowsKept, 2 * PRUNE_EVERY);
    sincePruned = 0;
  }

  return (): FannedOut => {
    prune();
    const batch = events.toFanOut(BATCH);
    const plan = planOf(batch, runner);
    const at = timestamp(clock.now());
    const complete = transaction(() =>
      plan
        .map(({ seq, plugins }) => {
          events.markFannedOut(seq);
          return deliveries.add(seq, plugins, at);
        })
        .every(Boolean),
    );
    sincePruned += batch.length;
    return { events: batch, fresh: byPlugin(plan, complete), more: batch.length === BATCH };
  };
}

/** Plugins that get the hook's events after they happened; its gates are asked before, and not told again. */
export function observersOf(runner: Pick<PluginRunner, "subscribers">, hook: HookName): readonly string[] {
  return runner
    .subscribers(hook)
    .filter((subscriber) => !subscriber.gate)
    .map((subscriber) => subscriber.plugin);
}

// --- internal ---

interface Planned extends StoredEvent {
  readonly plugins: readonly string[];
}

function planOf(batch: readonly StoredEvent[], runner: Pick<PluginRunner, "subscribers">): Planned[] {
  const observers = new Map<HookName, readonly string[]>();
  for (const { event } of batch)
    if (!observers.has(event.hook)) observers.set(event.hook, observersOf(runner, event.hook));
  return batch.map((stored) => ({ ...stored, plugins: observers.get(stored.event.hook) ?? [] }));
}

function byPlugin(plan: readonly Planned[], complete: boolean): Map<string, PendingDelivery[]> {
  const fresh = new Map<string, PendingDelivery[]>();
  for (const { seq, event, plugins } of plan)
    for (const plugin of plugins) {
      const list = fresh.get(plugin) ?? [];
      if (complete) list.push({ seq, event, attempts: 0, nextAt: 0 });
      fresh.set(plugin, list);
    }
  return fresh;
}

const BATCH = 32;

/** Events between two looks at what is too old. */
const PRUNE_EVERY = 256;
