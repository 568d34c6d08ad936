/**
 * What plugins log, on its way to the table and to whoever follows. Written by the broker's doors, which make each line safe
 * and keep a flood out; read by `plugin logs` and `plugin call`.
 */
import { LIMITS } from "../../base/limits.ts";
import type { PluginLogLine, PluginLogRows, StoredLogLine } from "../../state/plugin-logs.ts";
import type { LogView } from "../plugin-views.ts";

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
        const lines = rows.after(plugin, seq, LIMITS.logLinesAtOnce);
        for (const line of lines) {
          seq = line.seq;
          yield logView(line);
        }
        if (!signal.aborted && lines.length < LIMITS.logLinesAtOnce) await news.promise;
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
    since(plugin, mark) {
      const lines = rows.newest(plugin, LIMITS.callLogLines + 1).filter(({ seq }) => seq > mark);
      const shown = lastLines(lines).map(logView);
      const isWhole = shown.length === lines.length;
      return isWhole ? shown : [omission(plugin, shown[0]?.at ?? ""), ...shown];
    },
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
  /** The last lines after a mark: so many as an answer may have, and a line that says so where there were more. */
  since(plugin: string, mark: number): LogView[];
  clear(plugin: string): void;
}

export interface TailOptions {
  readonly limit: number;
  readonly follow: boolean;
  readonly signal: AbortSignal;
}

// --- internal ---

/** A plugin decides how much it logs: its lines must not be what fills the daemon's memory. */
function lastLines(lines: readonly StoredLogLine[]): readonly StoredLogLine[] {
  let first = lines.length;
  let chars = 0;
  while (first > 0 && lines.length - first < LIMITS.callLogLines) {
    const { text, fields } = lines[first - 1]!;
    chars += text.length + (fields === undefined ? 0 : JSON.stringify(fields).length);
    if (chars > LIMITS.callLogChars) break;
    first--;
  }
  return lines.slice(first);
}

function omission(plugin: string, at: string): LogView {
  return { at, level: "warn", text: `earlier lines are left out: voxeltron plugin logs ${plugin} has them` };
}

function logView({ at, level, text, fields }: StoredLogLine): LogView {
  return { at, level, text, ...(fields === undefined ? {} : { fields }) };
}
