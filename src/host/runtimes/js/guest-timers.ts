/** The clock behind a guest's timers. Ids and times come from the guest; the count is bounded here too. Called by guest-desk.ts. */
import { LIMITS } from "../../../base/limits.ts";
import { nativeClearTimeout, nativeSetTimeout } from "./natives.ts";

export interface GuestTimers {
  /** `id:ms`. */
  start(text: string): void;
  stop(id: string): void;
  clear(): void;
}

export function makeGuestTimers(fire: (id: number) => void): GuestTimers {
  const running = new Map<number, Timer>();
  return {
    start(text) {
      const [id = Number.NaN, ms = Number.NaN] = text.split(":").map(Number);
      if (!Number.isSafeInteger(id) || !(ms >= 1) || running.size > LIMITS.guestTimers) return;
      nativeClearTimeout(running.get(id));
      running.set(
        id,
        nativeSetTimeout(() => {
          running.delete(id);
          fire(id);
        }, ms),
      );
    },
    stop(id) {
      nativeClearTimeout(running.get(Number(id)));
      running.delete(Number(id));
    },
    clear() {
      for (const timer of running.values()) nativeClearTimeout(timer);
      running.clear();
    },
  };
}
