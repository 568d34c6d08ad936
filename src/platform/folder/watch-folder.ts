/**
 * Says that something in a folder changed, soon after it did and once for a burst. The system's own notice is the quick way; a look
 * now and then finds what it did not tell of (other machines' files, a folder that was gone and came back). Called by the daemon for
 * linked plugins and by the CLI for `plugin dev`.
 */
import { statSync, watch, type FSWatcher } from "node:fs";
import type { Clock } from "../../base/clock.ts";
import { LIMITS } from "../../base/limits.ts";
import { fingerprint } from "./fingerprint.ts";

export interface FolderWatch {
  close(): void;
}

/**
 * Calls `changed` once for what is there, so that nothing falls between a look before and the watch, and then after each change. It
 * may also be called where nothing did; a folder that goes or comes is a change.
 */
export function watchFolder(folder: string, clock: Clock, changed: () => void): FolderWatch {
  let isClosed = false;
  let watcher: FSWatcher | undefined;
  let watched = "";
  let seen: string | undefined;
  let firstNoticeAt: number | undefined;
  let cancelQuiet = (): void => {};
  let cancelLook = (): void => {};

  /** The system watches a folder, not a name: one that was put in its place is another. */
  function rearm(): void {
    const identity = identityOf(folder);
    if (identity === watched && watcher !== undefined) return;
    watcher?.close();
    watcher = undefined;
    watched = identity;
    try {
      watcher = watch(folder, { recursive: true, persistent: false }, notice);
      watcher.on("error", () => (watched = ""));
    } catch {
      // Gone, or no more watches to be had: looking is left.
    }
  }

  function notice(): void {
    firstNoticeAt ??= clock.monotonic();
    const leftMs = firstNoticeAt + LIMITS.watchLongestMs - clock.monotonic();
    cancelQuiet();
    cancelQuiet = clock.after(Math.max(0, Math.min(LIMITS.watchQuietMs, leftMs)), () => void look());
  }

  async function look(): Promise<void> {
    cancelQuiet();
    cancelLook();
    firstNoticeAt = undefined;
    const startedAt = clock.monotonic();
    rearm();
    const { text: print } = await fingerprint(folder);
    if (isClosed) return;
    const before = seen;
    seen = print;
    cancelLook();
    // A large folder is looked at less often.
    const tookMs = clock.monotonic() - startedAt;
    cancelLook = clock.after(Math.max(LIMITS.watchLookMs, tookMs * LOOKING_SHARE), () => void look());
    if (print !== before) changed();
  }

  void look();
  return {
    close() {
      isClosed = true;
      watcher?.close();
      cancelQuiet();
      cancelLook();
    },
  };
}

// --- internal ---

/** Looking may take one part in so many of the time. */
const LOOKING_SHARE = 50;

function identityOf(folder: string): string {
  const stats = statSync(folder, { throwIfNoEntry: false, bigint: true });
  return stats === undefined ? "" : `${stats.dev} ${stats.ino}`;
}
