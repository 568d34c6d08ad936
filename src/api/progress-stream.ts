/**
 * Turns work that reports by a callback into the lines of a stream answer. The work goes on when nobody reads any more; what
 * it reports is then dropped. Called by handlers.ts.
 */
export async function* makeProgressStream<T, R>(
  work: (report: Report<T>) => Promise<R>,
): AsyncGenerator<T, R, undefined> {
  const waiting: T[] = [];
  const state = { isRead: true, isDone: false, news: Promise.withResolvers<void>(), room: openRoom() };
  const done = work((item) => {
    if (!state.isRead) return state.room.promise;
    waiting.push(item);
    if (waiting.length === READ_AHEAD) state.room = Promise.withResolvers();
    state.news.resolve();
    return state.room.promise;
  }).finally(() => {
    state.isDone = true;
    state.news.resolve();
  });
  // Whoever reads gets the failure below; without a reader it is the work's own business.
  done.catch(() => {});
  try {
    while (!state.isDone || waiting.length > 0) {
      const item = waiting.shift();
      if (item !== undefined) {
        if (waiting.length < READ_AHEAD) state.room.resolve();
        yield item;
      } else {
        await state.news.promise;
        state.news = Promise.withResolvers();
      }
    }
  } finally {
    state.isRead = false;
    state.room.resolve();
  }
  return done;
}

/** For work that does not wait: whoever reads too slowly misses the newest of it, and it does not pile up. */
export function lossy<T>(report: Report<T>): (item: T) => void {
  let behind = 0;
  return (item) => {
    if (behind === BEHIND) return;
    behind++;
    void report(item).then(() => behind--);
  };
}

/** Resolves when there is room for more. Work that could report without end waits for it; other work need not. */
export type Report<T> = (item: T) => Promise<void>;

// --- internal ---

/** Items that wait for a slow reader before the work is asked to wait too. */
const READ_AHEAD = 64;

/** As much as a long build says in a while. */
const BEHIND = 1_000;

function openRoom(): PromiseWithResolvers<void> {
  const room = Promise.withResolvers<void>();
  room.resolve();
  return room;
}
