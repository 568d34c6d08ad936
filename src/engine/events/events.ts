/**
 * How the engine says that something happened. It knows no plugins: whoever listens is composed in daemon/compose.ts.
 * Implemented by outbox.ts; tests may pass a fake.
 */
import type { EventBase, EventOf, HookName, VoxeltronEvent } from "../../sdk/index.ts";

/** The fields of an event that its emitter gives; id, hook and time are added. */
export type EventData<H extends HookName> = Omit<EventOf[H], keyof EventBase>;

export interface Events {
  /**
   * Writes the event into the outbox, inside the caller's transaction where there is one: the state that it reports and the
   * event become durable together. Delivery begins after the commit. A wrong shape is a bug and throws.
   */
  emit<H extends HookName>(hook: H, data: EventData<H>): EventOf[H];
  /** Emits, then asks the gates in order; throws `gate.refused` with the first refusal's message. */
  announce<H extends HookName>(hook: H, data: EventData<H>, signal: AbortSignal): Promise<EventOf[H]>;
  /** Called for each event after it was committed. Returns the unsubscriber. */
  subscribe(listener: (event: VoxeltronEvent) => void): () => void;
}

/** Who may refuse an operation: implemented by host/gates.ts. Throws `gate.refused`. */
export type Gates = (event: VoxeltronEvent, signal: AbortSignal) => Promise<void>;
