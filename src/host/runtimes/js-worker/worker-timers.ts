/** The clock behind a guest's timers. Ids and times come from the guest; the count is bounded here too. Called by worker.ts. */
import { LIMITS } from "../../../base/limits.ts";

export interface WorkerTimers {
  /** `id:ms`. */
  start(text: string): void;
  stop(id: string): void;
  clear(): void;
}

export function makeWorkerTimers(fire: (id: number) => void): WorkerTimers {
  const running = new Map<number, Timer>();
  return {
    start(text) {
      const [id = Number.NaN, ms = Number.NaN] = text.split(":").map(Number);
      if (!Number.isSafeInteger(id) || !(ms >= 1) || running.size > LIMITS.guestTimers) return;
      clearTimeout(running.get(id));
      running.set(
        id,
        setTimeout(() => {
          running.delete(id);
          fire(id);
        }, ms),
      );
    },
    stop(id) {
      clearTimeout(running.get(Number(id)));
      running.delete(Number(id));
    },
    clear() {
      for (const timer of running.values()) clearTimeout(timer);
      running.clear();
    },
  };
}
