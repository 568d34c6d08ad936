/**
 * What plugins log, on its way to the table and to whoever follows. Written by the broker's doors, which make each line safe
 * and keep a flood out; read by `plugin logs` and `plugin call`.
 */
import type { PluginLogLine, PluginLogRows, StoredLogLine } from "../state/plugin-logs.ts";
import type { LogView } from "./plugin-views.ts";

export function makePluginLogs(rows: PluginLogRows): PluginLogs {
  const listeners = new Map<string, Set<() => void>>();

  function listen(plugin: string, listener: () => void): () => void {
    const all = listeners.get(plugin) ?? new Set();
    listeners.set(plugin, all.add(listener));
    return () => {
      all.delete(listener);
      if (all.size === 0 && listeners.get(plugin) === all) listeners.delete(plugin);
    };
  }

  async function* follow(plugin: string, from: number, signal: AbortSignal): AsyncGenerator<LogView> {
    let seq = from;
    let news = Promise.withResolvers<void>();
    const unlisten = listen(plugin, () => news.resolve());
    const end = (): void => news.resolve();
    signal.addEventListener("abort", end, { once: true });
    try {
      while (!signal.aborted) {
        news = Promise.withResolvers<void>();
        for (const line of rows.after(plugin, seq)) {
          seq = line.seq;
          yield logView(line);
        }
        if (!signal.aborted) await news.promise;
      }
    } finally {
      unlisten();
      signal.removeEventListener("abort", end);
    }
  }

  return {
    append(plugin, line) {
      const seq = rows.append(plugin, line);
      for (const listener of listeners.get(plugin) ?? []) listener();
      return seq;
    },
    async *tail(plugin, options) {
      const lines = rows.newest(plugin, options.limit);
      yield* lines.map(logView);
      if (options.follow) yield* follow(plugin, lines.at(-1)?.seq ?? rows.lastSeq(plugin), options.signal);
    },
    mark: (plugin) => rows.lastSeq(plugin),
    since: (plugin, mark) => rows.after(plugin, mark).map(logView),
    clear: (plugin) => rows.clear(plugin),
  };
}

export interface PluginLogs {
  /** A line that the broker made safe to keep; gives its number. */
  append(plugin: string, line: PluginLogLine): number;
  /** The last `limit` lines, then with `follow` each new one until the signal. */
  tail(plugin: string, options: TailOptions): AsyncGenerator<LogView>;
  /** A place in the log, for `since`. */
  mark(plugin: string): number;
  since(plugin: string, mark: number): LogView[];
  clear(plugin: string): void;
}

export interface TailOptions {
  readonly limit: number;
  readonly follow: boolean;
  readonly signal: AbortSignal;
}

// --- internal ---

function logView({ at, level, text, fields }: StoredLogLine): LogView {
  return { at, level, text, ...(fields === undefined ? {} : { fields }) };
}
