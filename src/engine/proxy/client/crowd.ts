/**
 * All clients that are connected, so that they never take the last of what the daemon may have open: where there are too many, one that
 * asks for nothing makes room for the new one. Composed by proxy.ts.
 */
import { LIMITS } from "../../../base/limits.ts";

export interface Crowd {
  /** False: there is no room. */
  enter(guest: Guest): boolean;
  /** Harmless for one that never entered. */
  leave(guest: Guest): void;
}

export interface Guest {
  /** It asked for nothing that was not answered. */
  isIdle(): boolean;
  /** Says goodbye, and leaves soon. */
  makeRoom(): void;
}

export function makeCrowd(most: number): Crowd {
  /** In the order in which they came, or were last seen at work. */
  const guests = new Set<Guest>();

  function makeRoom(): boolean {
    let looks = 0;
    for (const guest of guests) {
      if (++looks > LIMITS.proxyCrowdLooks) return false;
      guests.delete(guest);
      if (guest.isIdle()) {
        guest.makeRoom();
        return true;
      }
      guests.add(guest);
    }
    return false;
  }

  return {
    enter(guest) {
      if (guests.size >= most && !makeRoom()) return false;
      guests.add(guest);
      return true;
    },
    leave: (guest) => void guests.delete(guest),
  };
}
