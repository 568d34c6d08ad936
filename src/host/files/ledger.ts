/**
 * What stands in `files/`, how large it is and which plugin made it: sums for the quotas, without a look at the disk. Sizes are
 * in memory only and measured anew from time to time; who made what is kept in the state. Called by quota.ts.
 */
import type { PluginFileRows } from "../../state/plugin-files.ts";

export interface Held {
  readonly bytes: number;
  readonly count: number;
}

export interface Ledger {
  readonly all: Held;
  of(plugin: string): Held;
  get(path: string): Entry | undefined;
  /** A file or folder as it is now; `plugin` becomes the one that made it. */
  put(path: string, bytes: number, plugin: string): void;
  remove(path: string): void;
  /** With all that is below it. */
  move(from: string, to: string): void;
  /** Levels of names below a folder. */
  heightOf(path: string): number;
  /** As it was found on the disk, all of it or only a part; who made what is looked up. */
  replace(found: ReadonlyMap<string, number>, isAll: boolean): void;
}

export interface Entry {
  readonly bytes: number;
  /** Undefined for what the operator, a service or another program put there. */
  readonly plugin: string | undefined;
}

export function makeLedger(rows: PluginFileRows): Ledger {
  let entries = new Map<string, Entry>();
  let sums = new Map<string | undefined, { bytes: number; count: number }>();

  function add(path: string, entry: Entry): void {
    drop(path);
    entries.set(path, entry);
    count(entry, 1);
  }

  function drop(path: string): void {
    const before = entries.get(path);
    if (before === undefined) return;
    entries.delete(path);
    count(before, -1);
  }

  function count({ plugin, bytes }: Entry, sign: 1 | -1): void {
    const sum = sums.get(plugin) ?? { bytes: 0, count: 0 };
    sums.set(plugin, sum);
    sum.bytes += sign * bytes;
    sum.count += sign;
  }

  function below(path: string): string[] {
    return [...entries.keys()].filter((each) => each.startsWith(`${path}/`));
  }

  return {
    get all() {
      const each = [...sums.values()];
      return {
        bytes: each.reduce((total, { bytes }) => total + bytes, 0),
        count: each.reduce((total, sum) => total + sum.count, 0),
      };
    },
    of: (plugin) => sums.get(plugin) ?? { bytes: 0, count: 0 },
    get: (path) => entries.get(path),
    put(path, bytes, plugin) {
      if (entries.get(path)?.plugin !== plugin) rows.put(path, plugin);
      add(path, { bytes, plugin });
    },
    remove(path) {
      drop(path);
      rows.remove(path);
    },
    move(from, to) {
      if (!entries.has(from)) return;
      const moved = [from, ...below(from)].map((path) => [path, entries.get(path)] as const);
      drop(to);
      for (const [path, entry] of moved) {
        drop(path);
        if (entry !== undefined) add(to + path.slice(from.length), entry);
      }
      rows.move(from, to);
    },
    heightOf(path) {
      const levels = path.split("/").length;
      return below(path).reduce((most, each) => Math.max(most, each.split("/").length - levels), 0);
    },
    replace(found, isAll) {
      const makers = rows.all();
      entries = new Map();
      sums = new Map();
      for (const [path, bytes] of found) add(path, { bytes, plugin: makers.get(path) });
      if (isAll) rows.keepOnly(found);
    },
  };
}
