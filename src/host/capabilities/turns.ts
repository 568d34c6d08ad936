/**
 * Keeps one plugin's burst of small synchronous work from holding the daemon: between two pieces the event loop goes
 * round. Called by self.ts, whose store answers without waiting.
 */
export type Turns = <T>(plugin: string, work: () => T) => Promise<T>;

export function makeTurns(): Turns {
  const last = new Map<string, Promise<void>>();
  return async (plugin, work) => {
    const before = last.get(plugin);
    const { promise, resolve } = Promise.withResolvers<void>();
    last.set(plugin, promise);
    await before;
    try {
      return work();
    } finally {
      setImmediate(() => {
        if (last.get(plugin) === promise) last.delete(plugin);
        resolve();
      });
    }
  };
}
