/**
 * Takes the messages of alerts to their channels: one at a time for each channel, in order, again after a pause where the channel
 * refuses; after the last pause a message is let go of. Survives restarts: what is not delivered is on record. Made by alerts.ts.
 */
import type { Clock } from "../../base/clock.ts";
import { messageOf } from "../../base/errors.ts";
import { LIMITS } from "../../base/limits.ts";
import type { Log } from "../../base/log.ts";
import type { AlertRows, NoticeRow } from "../../state/alerts.ts";
import type { Notify } from "../notify/notify.ts";

export interface Courier {
  /** Begins with all that are due. Never throws. */
  deliver(): void;
  /** Begins none more, and gives up those that are under way: they are on record. */
  close(): Promise<void>;
}

export interface CourierDeps {
  readonly rows: Pick<AlertRows, "firstNotices" | "retryNotice" | "removeNotice">;
  readonly send: Notify["send"];
  readonly clock: Clock;
  readonly log: Log;
}

export function makeCourier({ rows, send, clock, log }: CourierDeps): Courier {
  const stopping = new AbortController();
  const underWay = new Map<string, Promise<void>>();
  /** On record still, because the disk refused to forget them: they are not sent again. */
  const over = new Set<number>();

  async function take(notice: NoticeRow): Promise<void> {
    const { id, channel, title, text, severity, attempts } = notice;
    if (!over.has(id))
      try {
        await send(channel, { from: "voxeltron", title, text, severity }, stopping.signal);
      } catch (error) {
        if (stopping.signal.aborted) return;
        const wait = LIMITS.alertNoticeBackoffMs[attempts];
        if (wait !== undefined) return rows.retryNotice(id, attempts + 1, clock.now() + wait);
        log.error("nobody could be told of an alert", { channel, alert: title, error: messageOf(error) });
      }
    over.add(id);
    rows.removeNotice(id);
    over.delete(id);
  }

  /** False where the disk did not take what became of it. */
  async function isNoted(notice: NoticeRow): Promise<boolean> {
    try {
      await take(notice);
      return true;
    } catch (error) {
      log.error("a message of an alert is stuck", { channel: notice.channel, error: messageOf(error) });
      return false;
    }
  }

  function deliver(): void {
    if (stopping.signal.aborted) return;
    // A clock that was set back must not keep anything waiting for longer than the longest pause.
    const latest = clock.now() + Math.max(...LIMITS.alertNoticeBackoffMs);
    for (const notice of rows.firstNotices()) {
      if (underWay.has(notice.channel) || (notice.nextAt > clock.now() && notice.nextAt <= latest)) continue;
      const work = isNoted(notice).then((goesOn) => {
        underWay.delete(notice.channel);
        // It is due still: the next look tries again, and no sooner.
        if (goesOn) deliver();
      });
      underWay.set(notice.channel, work);
    }
  }

  return {
    deliver,
    async close() {
      stopping.abort(new Error("the daemon stops"));
      await Promise.all(underWay.values());
    },
  };
}
