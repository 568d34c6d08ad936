/**
 * The outbox: an event is a row before anybody hears of it, written in the transaction of the state that it reports. It knows
 * no plugins; who delivers subscribes, and starts from the table after a crash.
 * Made in daemon/compose-engine.ts; the engine sees only `Events`.
 */
import { timestamp, type Clock } from "../../base/clock.ts";
import type { Log } from "../../base/log.ts";
import { messageOf } from "../../base/errors.ts";
import type { EventOf, HookName, VoxeltronEvent } from "../../sdk/index.ts";
import type { EventRows } from "../../state/events.ts";
import type { EventData, Events, Gates } from "./events.ts";
import { checkEvent } from "./parse-event.ts";

export interface OutboxOptions {
  readonly events: Pick<EventRows, "insert" | "has" | "inTransaction">;
  readonly gates: Gates;
  readonly clock: Clock;
  readonly newId: () => string;
  readonly log: Log;
}

export function makeEvents({ events, gates, clock, newId, log }: OutboxOptions): Events {
  const listeners = new Set<(event: VoxeltronEvent) => void>();
  let written: Written[] = [];

  function emit<H extends HookName>(hook: H, data: EventData<H>): EventOf[H] {
    const stamp = { id: newId(), hook, at: timestamp(clock.now()) };
    const checked = checkEvent(hook, { ...data, ...stamp });
    if (!checked.ok) {
      const { path, wanted, found } = checked.fault;
      throw new Error(
        `an event ${hook} was emitted in a wrong shape: ${path}: wanted ${wanted}, found ${found}`,
      );
    }
    events.insert(checked.event);
    // Transactions are synchronous: when the microtask runs, the caller's has been committed or rolled back.
    if (written.push({ event: checked.event, sure: !events.inTransaction() }) === 1) queueMicrotask(tell);
    return checked.event;
  }

  function tell(): void {
    const batch = written;
    written = [];
    for (const { event, sure } of batch) {
      if (!sure && !events.has(event.id)) continue;
      for (const listener of listeners) guarded(listener, event);
    }
  }

  function guarded(listener: (event: VoxeltronEvent) => void, event: VoxeltronEvent): void {
    try {
      listener(event);
    } catch (error) {
      log.error("a listener of events failed", { event: event.id, error: messageOf(error) });
    }
  }

  return {
    emit,
    async announce(hook, data, signal) {
      const event = emit(hook, data);
      await gates(event, signal);
      return event;
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

// --- internal ---

interface Written {
  readonly event: VoxeltronEvent;
  /** It is in the database for good; the others are looked up. */
  readonly sure: boolean;
}
