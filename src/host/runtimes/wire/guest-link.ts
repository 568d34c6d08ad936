/**
 * One guest at the other end of a wire, whatever stands between: text out, messages in, and an end that always comes. A room
 * is made of a link by room.ts; js-worker/ and process/ open them.
 */
import type { VoxError } from "../../../base/errors.ts";
import type { Guest } from "../runtime.ts";
import type { LoadParams, StopReason } from "./messages.ts";

export interface GuestLink {
  readonly send: (text: string) => void;
  /** Characters or bytes that were sent and that the other end has not read yet: they are held in the daemon's memory. */
  readonly unread: () => number;
  /**
   * Watches work that belongs to no call, such as a timer after its hook: `overrun` is called where it takes longer than the guest's
   * `entryMs`. The returned function ends the watch.
   */
  watchFree(free: FreeTime): () => void;
  /** Ends the guest, whatever it is doing. Settles when nothing of it runs any more. Idempotent. */
  end(): Promise<void>;
}

export interface FreeTime {
  /** No call is open. */
  readonly isFree: () => boolean;
  /** How many calls there have been. */
  readonly asked: () => number;
  readonly overrun: () => void;
}

export interface LinkEvents {
  /** Anything at all may be in it. */
  readonly message: (data: unknown) => void;
  /** The other end is no more. Told also after `end`, and maybe more than once: the first reason counts. */
  readonly gone: (reason: StopReason, detail: string) => void;
  /** In place of `gone`, where the link itself has the reason: the other end could not be confined, or sent what is no message. */
  readonly failed: (error: VoxError) => void;
}

/** Starts the other end. Throws where that can't be done here. */
export interface LinkKind {
  open(guest: Guest, on: LinkEvents): GuestLink;
  /** How long loading may take once the other end is ready. */
  loadMs?(guest: Guest): number;
  /** What of the code goes with the `load` message. */
  loadParams(guest: Guest): Pick<LoadParams, "kind" | "code" | "sourceMap">;
}
