/**
 * One Worker and the cells it shares with the daemon: strings in, strings out, and an end that always comes. Called by room.ts.
 */
import type { Clock } from "../../../base/clock.ts";
import { LIMITS } from "../../../base/limits.ts";
import { printable } from "../../../base/text.ts";
import type { GuestLink, LinkEvents } from "../wire/guest-link.ts";
import { watchFreeEntries } from "./watch-free-entries.ts";
import { CONTROL, LEFT, STOP, type WorkerStart } from "./worker-messages.ts";

export interface WorkerDeps {
  /** `startJsWorker` of src/workers.ts. */
  readonly startWorker: () => Worker;
  readonly clock: Clock;
}

/** Between `entryMs` and twice that an overrun is noticed. */
export function openWorkerLink(
  { startWorker, clock }: WorkerDeps,
  module: WebAssembly.Module,
  entryMs: number,
  on: LinkEvents,
): GuestLink {
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
    on.gone("crash", printable(event.message));
  });
  worker.addEventListener("close", () => {
    still.resolve();
    on.gone("crash", "its thread ended");
  });
  worker.postMessage({ module, control } satisfies WorkerStart);
  let sent = 0;
  return {
    send(text) {
      sent = (sent + text.length) | 0;
      worker.postMessage(text);
    },
    unread: () => (sent - Atomics.load(control, CONTROL.read)) | 0,
    watchFree: (free) =>
      watchFreeEntries(clock, entryMs, { ...free, entries: () => Atomics.load(control, CONTROL.entries) }),
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
