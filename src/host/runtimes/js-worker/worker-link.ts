/**
 * One Worker and the cells it shares with the daemon: strings in, strings out, and an end that always comes. Called by room-body.ts.
 */
import type { Clock } from "../../../base/clock.ts";
import { LIMITS } from "../../../base/limits.ts";
import { printable } from "../../../base/text.ts";
import { CONTROL, type WorkerStart } from "./messages.ts";

export interface WorkerLink {
  readonly send: (text: string) => void;
  /** Characters that were sent and that the Worker has not read yet: they are held in the daemon's memory. */
  readonly unread: () => number;
  /** An odd number while the guest runs; the same odd number twice is one long entry. */
  readonly entries: () => number;
  /** Stops the guest at its next check and ends the thread. Settles when it is gone. Idempotent. */
  end(): Promise<void>;
}

export function openWorkerLink(
  startWorker: () => Worker,
  module: WebAssembly.Module,
  clock: Clock,
  on: { readonly message: (data: unknown) => void; readonly gone: (detail: string) => void },
): WorkerLink {
  const control = new Int32Array(new SharedArrayBuffer(CONTROL.cells * Int32Array.BYTES_PER_ELEMENT));
  const closed = Promise.withResolvers<void>();
  const worker = startWorker();
  worker.addEventListener("message", (event: MessageEvent<unknown>) => on.message(event.data));
  worker.addEventListener("error", (event) => {
    event.preventDefault();
    on.gone(printable(event.message));
  });
  worker.addEventListener("close", () => {
    closed.resolve();
    on.gone("its thread ended");
  });
  worker.postMessage({ module, control } satisfies WorkerStart);
  let sent = 0;
  return {
    send(text) {
      sent = (sent + text.length) | 0;
      worker.postMessage(text);
    },
    unread: () => (sent - Atomics.load(control, CONTROL.read)) | 0,
    entries: () => Atomics.load(control, CONTROL.entries),
    async end() {
      Atomics.store(control, CONTROL.stop, 1);
      worker.terminate();
      const cancel = clock.after(LIMITS.roomGraceMs, closed.resolve);
      await closed.promise;
      cancel();
    },
  };
}
