/**
 * What `voxeltron events` shows: events with what became of their deliveries, as a list and as a live stream. Reads only.
 * `touch` is called by whoever changed something: the dispatcher and the gates, after the commit.
 */
import type { HookName, VoxeltronEvent } from "../../sdk/index.ts";
import type { DeliveryRow, DeliveryRows } from "../../state/deliveries.ts";
import type { EventRows, StoredEvent } from "../../state/events.ts";

export interface EventFeed {
  /** The newest `limit`, oldest of them first; only those of `hook` where it is given. */
  list(limit: number, hook?: HookName): readonly EventView[];
  find(id: string): EventView | undefined;
  /**
   * From now on: each event when it is there, and again whenever one of its deliveries changed. Several changes at once come
   * as one item, so a slow reader misses steps but never the outcome. Ends at the signal.
   */
  follow(hook: HookName | undefined, signal: AbortSignal): AsyncIterable<EventView>;
  /** The event or one of its deliveries changed. */
  readonly touch: (eventSeq: number) => void;
}

export interface EventView {
  readonly id: string;
  readonly hook: HookName;
  /** RFC 3339, UTC. */
  readonly at: string;
  /** All other fields of the event. */
  readonly data: Record<string, unknown>;
  /** In the order of plugins' names. */
  readonly deliveries: DeliveryView[];
}

type DeliveryView = Omit<DeliveryRow, "eventSeq">;

export interface EventFeedOptions {
  readonly events: Pick<EventRows, "find" | "findBySeq" | "newest">;
  readonly deliveries: Pick<DeliveryRows, "ofEvents">;
}

export function makeEventFeed({ events, deliveries }: EventFeedOptions): EventFeed {
  const followers = new Set<Follower>();

  function views(stored: readonly StoredEvent[]): EventView[] {
    const rows = Map.groupBy(deliveries.ofEvents(stored.map(({ seq }) => seq)), (row) => row.eventSeq);
    return stored.map(({ seq, event }) => viewOf(event, rows.get(seq) ?? []));
  }

  async function* read(follower: Follower, hook: HookName | undefined, signal: AbortSignal) {
    try {
      while (!signal.aborted) {
        if (follower.changed.size === 0) await follower.news();
        const seqs = [...follower.changed].toSorted((a, b) => a - b).slice(0, READ_AT_ONCE);
        for (const seq of seqs) follower.changed.delete(seq);
        const stored = seqs.map((seq) => events.findBySeq(seq)).filter((found) => found !== undefined);
        yield* views(stored.filter(({ event }) => hook === undefined || event.hook === hook));
      }
    } finally {
      followers.delete(follower);
    }
  }

  return {
    list: (limit, hook) => views(events.newest(limit, hook)),
    find(id) {
      const stored = events.find(id);
      return stored === undefined ? undefined : views([stored])[0];
    },
    follow(hook, signal) {
      const follower = makeFollower();
      followers.add(follower);
      const end = () => {
        followers.delete(follower);
        follower.wake();
      };
      if (signal.aborted) end();
      else signal.addEventListener("abort", end, { once: true });
      return read(follower, hook, signal);
    },
    touch(eventSeq) {
      for (const follower of followers) {
        follower.changed.add(eventSeq);
        follower.wake();
      }
    },
  };
}

// --- internal ---

/** Rows loaded at once for one reader. */
const READ_AT_ONCE = 100;

interface Follower {
  readonly changed: Set<number>;
  readonly wake: () => void;
  readonly news: () => Promise<void>;
}

function makeFollower(): Follower {
  let waiting = Promise.withResolvers<void>();
  return {
    changed: new Set(),
    wake: () => waiting.resolve(),
    async news() {
      await waiting.promise;
      waiting = Promise.withResolvers<void>();
    },
  };
}

function viewOf({ id, hook, at, ...data }: VoxeltronEvent, rows: readonly DeliveryRow[]): EventView {
  const deliveries = rows.map(({ plugin, state, attempts, error }) => ({ plugin, state, attempts, error }));
  return { id, hook, at, data, deliveries };
}
