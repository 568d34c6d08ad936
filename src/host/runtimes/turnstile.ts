/** One at a time, in order. Who waits can leave, be turned away, or be let in before all others. Used by supervisor.ts. */
export function makeTurnstile(): Turnstile {
  const waiting: Visitor[] = [];
  let busy = false;

  async function admit(): Promise<void> {
    busy = true;
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) await next.enter();
    busy = false;
  }

  function enter<T>(work: () => Promise<T>, options: EnterOptions = {}): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const { signal } = options;
    const leave = (): void => {
      waiting.splice(waiting.indexOf(visitor), 1);
      reject(signal?.reason as Error);
    };
    const visitor: Visitor = {
      async enter() {
        signal?.removeEventListener("abort", leave);
        await work().then(resolve, reject);
      },
      turnAway(reason) {
        signal?.removeEventListener("abort", leave);
        reject(reason);
      },
    };
    if (signal?.aborted === true) {
      reject(signal.reason as Error);
      return promise;
    }
    signal?.addEventListener("abort", leave, { once: true });
    if (options.first === true) waiting.unshift(visitor);
    else waiting.push(visitor);
    if (!busy) void admit();
    return promise;
  }

  return {
    enter,
    turnAway(reason) {
      for (const visitor of waiting.splice(0)) visitor.turnAway(reason);
    },
  };
}

export interface Turnstile {
  /** Runs `work` when its turn comes and gives its result. An aborted signal takes it out of the line. */
  enter<T>(work: () => Promise<T>, options?: EnterOptions): Promise<T>;
  turnAway(reason: Error): void;
}

export interface EnterOptions {
  readonly signal?: AbortSignal | undefined;
  /** Before all that wait. */
  readonly first?: boolean;
}

// --- internal ---

interface Visitor {
  enter(): Promise<void>;
  turnAway(reason: Error): void;
}
