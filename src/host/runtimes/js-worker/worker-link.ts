/**
 * One Worker and the cells it shares with the daemon: strings in, strings out, and an end that always comes. Called by room-body.ts.
 */
import type { Clock } from "../../../base/clock.ts";
import { LIMITS } from "../../../base/limits.ts";
import { printable } from "../../../base/text.ts";
import { CONTROL, LEFT, STOP, type WorkerStart } from "./messages.ts";

export interface WorkerLink {
  readonly send: (text: string) => void;
  /** Characters that were sent and that the Worker has not read yet: they are held in the daemon's memory. */
  readonly unread: () => number;
  /** An odd number while the guest runs; the same odd number twice is one long entry. */
  readonly entries: () => number;
  /** Stops the guest at its next check. Settles when nothing of it runs any more; the thread ends soon after. Idempotent. */
  end(): Promise<void>;
}

export function openWorkerLink(
  startWorker: () => Worker,
  module: WebAssembly.Module,
  clock: Clock,
  on: { readonly message: (data: unknown) => void; readonly gone: (detail: string) => void },
): WorkerLink {
  const control = new Int32Array(new SharedArrayBuffer(CONTROL.cells * Int32Array.BYTES_PER_ELEMENT));
  /** Nothing of the guest runs any more. */
  const still = Promise.withResolvers<void>();
  const worker = startWorker();
  worker.addEventListener("message", ({ data }: MessageEvent<unknown>) => {
    if (data === LEFT) still.resolve();
    else on.message(data);
  });
  worker.addEventListener("error", (event) => {
    event.preventDefault();
    on.gone(printable(event.message));
  });
  worker.addEventListener("close", () => {
    still.resolve();
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
      worker.postMessage(STOP);
      // A thread that is made to end takes half-compiled code of the shared engine with it, and every other guest is four
      // times slower from then on. So it is asked first, and lingers until the compiler is done (see workerLingerMs).
      const cancels = [
        clock.after(LIMITS.workerLeaveMs, () => worker.terminate()),
        clock.after(LIMITS.workerLeaveMs + LIMITS.roomGraceMs, still.resolve),
      ];
      await still.promise;
      for (const cancel of cancels) cancel();
    },
  };
}
