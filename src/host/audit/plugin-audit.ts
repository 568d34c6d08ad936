/**
 * What plugins asked the broker for: written by its doors, each call and its count in one transaction, and read by `plugin audit` and
 * `plugin info`. It holds names of methods and targets, never what was sent or answered.
 */
import { LIMITS } from "../../base/limits.ts";
import { fail } from "../../base/errors.ts";
import { quote } from "../../base/text.ts";
import type { AuditRow, AuditRows, StoredAuditRow, WhichRows } from "../../state/audit.ts";
import type { AuditTotal, AuditTotalRows, CountedCalls } from "../../state/audit-totals.ts";
import { totalsOf, usesOf, type UseView } from "./uses.ts";

export function makePluginAudit(deps: PluginAuditDeps): PluginAudit {
  const { rows, totals } = deps;
  const listeners = new Set<() => void>();
  const write = deps.together((row: AuditRow, uncounted: readonly CountedCalls[]) => {
    const { plugin, capability, method, outcome, at } = row;
    rows.append(row);
    if (method !== "*") totals.add({ plugin, capability, method, outcome, at, calls: row.times ?? 1 });
    for (const calls of uncounted) totals.add(calls);
  });

  function uses(plugin: string, which: WhichRows): readonly UseView[] {
    const counted = which.since === undefined ? totals.list(plugin) : totalsOf(rows.tally(plugin, which));
    const meant = which.deniedOnly === true ? counted.filter((each) => each.class === "denied") : counted;
    return usesOf(plugin, meant, rows.targets(plugin, which));
  }

  async function* follow(name: string | undefined, which: WhichRows, from: number, signal: AbortSignal) {
    let seq = from;
    let news = Promise.withResolvers<void>();
    const ring = (): void => news.resolve();
    listeners.add(ring);
    signal.addEventListener("abort", ring, { once: true });
    try {
      while (!signal.aborted) {
        news = Promise.withResolvers<void>();
        const found = rows.after(name, which, seq, LIMITS.logLinesAtOnce);
        for (const row of found) {
          seq = row.seq;
          yield callView(row);
        }
        if (!signal.aborted && found.length < LIMITS.logLinesAtOnce) await news.promise;
      }
    } finally {
      listeners.delete(ring);
      signal.removeEventListener("abort", ring);
    }
  }

  /** All that ever asked for anything, or the one; `isInstalled` spares it the error of a plugin that nobody knows. */
  function named(name: string | undefined, isInstalled: (name: string) => boolean): readonly string[] {
    const known = totals.plugins();
    if (name === undefined) return known;
    if (known.includes(name)) return [name];
    if (isInstalled(name)) return [];
    throw fail(
      "plugin.not_found",
      `no plugin is called ${quote(name)}, and none ever asked for anything under that name`,
    );
  }

  return {
    append(row, uncounted = []) {
      write(row, uncounted);
      for (const ring of listeners) ring();
    },
    async uses(name, which, isInstalled) {
      const found: UseView[] = [];
      const keptSince: KeptSince[] = [];
      for (const plugin of named(name, isInstalled)) {
        found.push(...uses(plugin, which));
        const oldest = which.since === undefined ? undefined : rows.oldestAt(plugin);
        const { since = "" } = which;
        if (oldest !== undefined && oldest > since && hasOlder(totals.list(plugin), oldest))
          keptSince.push({ plugin, at: oldest });
        await deps.pause();
      }
      return { uses: found, keptSince };
    },
    async *calls(name, which, { limit, follow: goesOn, signal }, isInstalled) {
      const last = rows.lastSeq();
      const found: StoredAuditRow[] = [];
      for (const plugin of named(name, isInstalled)) found.push(...rows.newest(plugin, which, limit));
      const shown = limit === 0 ? [] : found.toSorted((a, b) => a.seq - b.seq).slice(-limit);
      yield* shown.map(callView);
      if (goesOn) yield* follow(name, which, Math.max(last, shown.at(-1)?.seq ?? 0), signal);
    },
    lastUse(plugin) {
      const used = totals.list(plugin).filter((each) => each.class !== "denied");
      return (capability) =>
        used
          .filter((each) => each.capability === capability || deps.opens(each.method).includes(capability))
          .map((each) => each.lastAt)
          .toSorted()
          .at(-1);
    },
  };
}

export interface PluginAuditDeps {
  readonly rows: AuditRows;
  readonly totals: AuditTotalRows;
  /** Gives the same work in one transaction. */
  readonly together: <A extends unknown[]>(work: (...args: A) => void) => (...args: A) => void;
  /** The capabilities of which one opens the method. */
  readonly opens: (method: string) => readonly string[];
  /** Lets others have their turn between two plugins. */
  readonly pause: () => Promise<void>;
}

export interface PluginAudit {
  /** `uncounted`: calls that are in no row of their own. */
  append(row: AuditRow, uncounted?: readonly CountedCalls[]): void;
  /** Throws `plugin.not_found` for a name that is not installed and never was. */
  uses(name: string | undefined, which: WhichRows, isInstalled: IsInstalled): Promise<Uses>;
  /** The last `limit` calls, then with `follow` each new one until the signal. Throws as `uses` does. */
  calls(
    name: string | undefined,
    which: WhichRows,
    options: { readonly limit: number; readonly follow: boolean; readonly signal: AbortSignal },
    isInstalled: IsInstalled,
  ): AsyncGenerator<AuditCallView>;
  /**
   * When a plugin last used a capability, as far as that can be told: where one of several opens a method, its call is a use of each of
   * them, so that nothing is called unused that may be needed.
   */
  lastUse(plugin: string): (capability: string) => string | undefined;
}

export type IsInstalled = (name: string) => boolean;

export interface Uses {
  readonly uses: UseView[];
  /** Plugins of which not all rows are kept that `since` asks for, and since when they are. */
  readonly keptSince: KeptSince[];
}

export interface KeptSince {
  plugin: string;
  at: string;
}

export interface AuditCallView {
  at: string;
  plugin: string;
  method: string;
  capability: string | null;
  target: string | null;
  outcome: string;
  during: string | null;
  times: number;
}

// --- internal ---

function hasOlder(totals: readonly AuditTotal[], at: string): boolean {
  return totals.some(({ firstAt }) => firstAt < at);
}

function callView(row: StoredAuditRow): AuditCallView {
  const { at, plugin, method, capability, target, outcome, during, times } = row;
  return { at, plugin, method, capability, target, outcome, during, times };
}
