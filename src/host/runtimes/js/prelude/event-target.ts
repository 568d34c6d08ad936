/** Event and EventTarget without a tree: dispatch calls the target's own listeners, in order. */
import { reportUncaught } from "./log.ts";

export class Event {
  readonly type: string;
  readonly bubbles: boolean;
  readonly cancelable: boolean;
  readonly composed: boolean;
  readonly timeStamp = Date.now();
  #target: EventTarget | null = null;
  #defaultPrevented = false;
  #stopped = false;

  constructor(type: unknown, init: { bubbles?: boolean; cancelable?: boolean; composed?: boolean } = {}) {
    if (arguments.length === 0) throw new TypeError("Event needs a type");
    this.type = String(type);
    this.bubbles = Boolean(init.bubbles);
    this.cancelable = Boolean(init.cancelable);
    this.composed = Boolean(init.composed);
  }

  get target(): EventTarget | null {
    return this.#target;
  }
  get currentTarget(): EventTarget | null {
    return this.#target;
  }
  get defaultPrevented(): boolean {
    return this.#defaultPrevented;
  }
  preventDefault(): void {
    if (this.cancelable) this.#defaultPrevented = true;
  }
  stopPropagation(): void {}
  stopImmediatePropagation(): void {
    this.#stopped = true;
  }
  get [Symbol.toStringTag](): string {
    return "Event";
  }

  /** Calls listeners until one stops the event. Static and private in effect: only EventTarget has a use for it. */
  static #dispatch(event: Event, target: EventTarget, listeners: readonly Listener[]): void {
    event.#target = target;
    event.#stopped = false;
    for (const listener of listeners) {
      if (event.#stopped) break;
      if (listener.removed) continue;
      if (listener.once) target.removeEventListener(event.type, listener.callback);
      try {
        if (typeof listener.callback === "function") listener.callback.call(target, event);
        else listener.callback.handleEvent(event);
      } catch (error) {
        reportUncaught(`a listener of "${event.type}"`, error);
      }
    }
  }

  static {
    dispatch = (event, target, listeners) => Event.#dispatch(event, target, listeners);
  }
}

type Callback = ((this: EventTarget, event: Event) => void) | { handleEvent(event: Event): void };

interface Listener {
  readonly callback: Callback;
  readonly once: boolean;
  removed: boolean;
}

interface ListenerOptions {
  readonly once?: boolean;
  readonly signal?: EventTarget & { readonly aborted: boolean };
}

export class EventTarget {
  readonly #listeners = new Map<string, Listener[]>();

  addEventListener(type: string, callback: Callback | null, options: ListenerOptions | boolean = {}): void {
    if (callback === null || callback === undefined) return;
    const { once = false, signal } = typeof options === "boolean" ? {} : options;
    if (signal?.aborted === true) return;
    const listeners = this.#listeners.get(type) ?? [];
    if (listeners.some((listener) => listener.callback === callback)) return;
    this.#listeners.set(type, [...listeners, { callback, once, removed: false }]);
    signal?.addEventListener("abort", () => this.removeEventListener(type, callback), { once: true });
  }

  removeEventListener(type: string, callback: Callback | null): void {
    const listeners = this.#listeners.get(type) ?? [];
    for (const listener of listeners) if (listener.callback === callback) listener.removed = true;
    this.#listeners.set(
      type,
      listeners.filter((listener) => !listener.removed),
    );
  }

  dispatchEvent(event: Event): boolean {
    dispatch(event, this, this.#listeners.get(event.type) ?? []);
    return !event.defaultPrevented;
  }

  get [Symbol.toStringTag](): string {
    return "EventTarget";
  }
}

// --- internal ---

var dispatch: (event: Event, target: EventTarget, listeners: readonly Listener[]) => void;
