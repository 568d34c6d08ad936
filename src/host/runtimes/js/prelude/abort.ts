/** AbortController and AbortSignal, with `abort`, `timeout` and `any`. */
import { DOMException } from "./dom-exception.ts";
import { Event, EventTarget } from "./event-target.ts";
import { setTimeout } from "./timers.ts";

export class AbortSignal extends EventTarget {
  #aborted = false;
  #reason: unknown;
  #onabort: ((this: AbortSignal, event: Event) => void) | null = null;

  constructor(key?: symbol) {
    super();
    if (key !== KEY) throw new TypeError("an AbortSignal is made by an AbortController");
  }

  get aborted(): boolean {
    return this.#aborted;
  }
  get reason(): unknown {
    return this.#reason;
  }
  get onabort(): ((this: AbortSignal, event: Event) => void) | null {
    return this.#onabort;
  }
  set onabort(handler: ((this: AbortSignal, event: Event) => void) | null) {
    this.#onabort = typeof handler === "function" ? handler : null;
  }
  throwIfAborted(): void {
    if (this.#aborted) throw this.#reason;
  }
  override get [Symbol.toStringTag](): string {
    return "AbortSignal";
  }

  static abort(reason?: unknown): AbortSignal {
    const signal = new AbortSignal(KEY);
    abortSignal(signal, reason);
    return signal;
  }

  static timeout(ms: number): AbortSignal {
    const signal = new AbortSignal(KEY);
    setTimeout(() => abortSignal(signal, new DOMException("the operation timed out", "TimeoutError")), ms);
    return signal;
  }

  static any(signals: Iterable<AbortSignal>): AbortSignal {
    const sources = [...signals];
    const signal = new AbortSignal(KEY);
    const aborted = sources.find((source) => source.aborted);
    if (aborted !== undefined) {
      abortSignal(signal, aborted.reason);
      return signal;
    }
    for (const source of sources) {
      source.addEventListener("abort", () => abortSignal(signal, source.reason), { once: true });
    }
    return signal;
  }

  static {
    abortSignal = (signal, reason) => {
      if (signal.#aborted) return;
      signal.#aborted = true;
      signal.#reason =
        reason === undefined ? new DOMException("the operation was aborted", "AbortError") : reason;
      const event = new Event("abort");
      signal.#onabort?.(event);
      signal.dispatchEvent(event);
    };
  }
}

export class AbortController {
  readonly #signal = new AbortSignal(KEY);

  get signal(): AbortSignal {
    return this.#signal;
  }
  abort(reason?: unknown): void {
    abortSignal(this.#signal, reason);
  }
  get [Symbol.toStringTag](): string {
    return "AbortController";
  }
}

// --- internal ---

var KEY = Symbol("made here");
var abortSignal: (signal: AbortSignal, reason: unknown) => void;
