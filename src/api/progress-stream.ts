/**
 * Turns work that reports by a callback into the lines of a stream answer. The work goes on when nobody reads any more; what
 * it reports is then dropped. Called by handlers.ts.
 */
export async function* makeProgressStream<T, R>(
  work: (report: (item: T) => void) => Promise<R>,
): AsyncGenerator<T, R, undefined> {
  const waiting: T[] = [];
  const state = { isRead: true, isDone: false, news: Promise.withResolvers<void>() };
  const done = work((item) => {
    if (!state.isRead) return;
    waiting.push(item);
    state.news.resolve();
  }).finally(() => {
    state.isDone = true;
    state.news.resolve();
  });
  // Whoever reads gets the failure below; without a reader it is the work's own business.
  done.catch(() => {});
  try {
    while (!state.isDone || waiting.length > 0) {
      const item = waiting.shift();
      if (item !== undefined) yield item;
      else {
        await state.news.promise;
        state.news = Promise.withResolvers();
      }
    }
  } finally {
    state.isRead = false;
  }
  return done;
}
