/**
 * Turns work that reports by a callback into the lines of a stream answer. The work goes on when nobody reads any more; what
 * it reports is then dropped. Called by handlers.ts.
 */
export async function* makeProgressStream<T, R>(
  work: (report: (item: T) => void) => Promise<R>,
): AsyncGenerator<T, R, undefined> {
  const waiting: T[] = [];
  let news = Promise.withResolvers<void>();
  let isRead = true;
  let isDone = false;
  const done = work((item) => {
    if (!isRead) return;
    waiting.push(item);
    news.resolve();
  }).finally(() => {
    isDone = true;
    news.resolve();
  });
  // Whoever reads gets the failure below; without a reader it is the work's own business.
  done.catch(() => {});
  try {
    while (!isDone || waiting.length > 0) {
      const item = waiting.shift();
      if (item !== undefined) yield item;
      else {
        await news.promise;
        news = Promise.withResolvers<void>();
      }
    }
  } finally {
    isRead = false;
  }
  return done;
}
