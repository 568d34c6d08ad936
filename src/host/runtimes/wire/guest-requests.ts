/**
 * The daemon's requests to a guest while they wait: each has a deadline, and the first answer counts. Called by room-body.ts.
 */
import type { Clock } from "../../../base/clock.ts";

export interface GuestRequests {
  /** Sends `make(id)` and gives the answer's message; `late` runs at the deadline. */
  send(make: (id: number) => string, deadlineMs: number, late: () => void): Promise<GuestAnswer>;
  /** False where nobody asked. */
  answer(id: number, answer: GuestAnswer): boolean;
  rejectAll(error: Error): void;
}

export type GuestAnswer = { readonly result: unknown } | { readonly error: { readonly data: unknown } };

export function makeGuestRequests(clock: Clock, post: (text: string) => void): GuestRequests {
  const waiting = new Map<number, Waiting>();
  let lastId = 0;
  return {
    send(make, deadlineMs, late) {
      const id = ++lastId;
      const text = make(id);
      const { promise, resolve, reject } = Promise.withResolvers<GuestAnswer>();
      const cancel = clock.after(deadlineMs, late);
      waiting.set(id, { resolve, reject, cancel });
      post(text);
      return promise;
    },
    answer(id, answer) {
      const request = waiting.get(id);
      if (request === undefined) return false;
      waiting.delete(id);
      request.cancel();
      request.resolve(answer);
      return true;
    },
    rejectAll(error) {
      for (const { reject, cancel } of waiting.values()) {
        cancel();
        reject(error);
      }
      waiting.clear();
    },
  };
}

// --- internal ---

interface Waiting {
  readonly resolve: (answer: GuestAnswer) => void;
  readonly reject: (error: Error) => void;
  readonly cancel: () => void;
}
