/**
 * How much plugins may keep in `files/`: all of them together, and each at most its share; and that the disk below is never
 * filled by them. What is being written counts before it is written. Called by writer.ts.
 */
import type { Clock } from "../../base/clock.ts";
import { fail, type VoxError } from "../../base/errors.ts";
import { LIMITS } from "../../base/limits.ts";
import { formatBytes } from "../../base/text.ts";
import type { PluginFileRows } from "../../state/plugin-files.ts";
import { FILES } from "./area-path.ts";
import type { FileStore } from "./file-store.ts";
import { makeGate, type Gate } from "./gate.ts";
import { makeLedger, type Held, type Ledger } from "./ledger.ts";
import { measureFiles } from "./measure.ts";

export interface FileQuota {
  /** Runs `work`, which makes or changes what stands at `path` and resolves with its size. Throws `capability.limit`, `disk.full`. */
  making(plugin: string, path: string, room: Room, work: () => Promise<number>): Promise<void>;
  removing(path: string, work: () => Promise<void>): Promise<void>;
  /** `work` is told how many levels of names are below `from`; nothing else is changed meanwhile. */
  moving(from: string, to: string, work: (levelsBelow: number) => Promise<void>): Promise<void>;
}

export interface Room {
  /** What it will have; or it keeps what it has and `fresh` comes to it. */
  readonly size: number | "grows";
  /** Bytes that are written to the disk. */
  readonly fresh: number;
}

export interface FileQuotaOptions {
  readonly store: FileStore;
  readonly rows: PluginFileRows;
  /** Asked each time. */
  readonly limits: () => FileLimits;
  readonly clock: Clock;
}

export interface FileLimits {
  readonly maxBytes: number;
  readonly maxCount: number;
}

export function makeFileQuota(options: FileQuotaOptions): FileQuota {
  const { store, limits } = options;
  const gate = makeGate();
  const ledger = makeLedger(options.rows);
  const measured = makeMeasuring(options, ledger, gate);
  const pending = new Map<string, Sum>();

  function refusal(plugin: string, path: string, room: Room): VoxError | undefined {
    const before = ledger.get(path);
    const { maxBytes, maxCount } = limits();
    if (before === undefined && !measured.complete())
      return fail("capability.limit", `files/ holds more than the ${maxCount} files and folders that it may`);
    const share = {
      bytes: Math.floor(maxBytes * LIMITS.filesShare),
      count: Math.floor(maxCount * LIMITS.filesShare),
    };
    const mine = before?.plugin === plugin ? before : undefined;
    const after = room.size === "grows" ? (before?.bytes ?? 0) + room.fresh : room.size;
    return (
      overflow(
        "plugins keep in files/",
        { bytes: maxBytes, count: maxCount },
        [ledger.all, ...pending.values()],
        { bytes: after - (before?.bytes ?? 0), count: before === undefined ? 1 : 0 },
      ) ??
      overflow(`the plugin ${plugin} keeps in files/`, share, [ledger.of(plugin), sumOf(pending, plugin)], {
        bytes: after - (mine?.bytes ?? 0),
        count: mine === undefined ? 1 : 0,
      })
    );
  }

  return {
    async making(plugin, path, room, work) {
      await measured.within(LIMITS.filesMeasuredMs);
      if (refusal(plugin, path, room) !== undefined) await measured.within(LIMITS.filesRefusedMs);
      await gate.together(async () => {
        if (room.fresh > 0) await checkDisk(store, room.fresh, pending);
        // Nothing is waited for between the question and the taking.
        const problem = refusal(plugin, path, room);
        if (problem !== undefined) throw problem;
        const count = ledger.get(path) === undefined ? 1 : 0;
        const sum = sumOf(pending, plugin);
        pending.set(plugin, sum);
        sum.bytes += room.fresh;
        sum.count += count;
        try {
          ledger.put(path, await work(), plugin);
        } finally {
          sum.bytes -= room.fresh;
          sum.count -= count;
        }
      });
    },
    removing: (path, work) =>
      gate.together(async () => {
        await work();
        ledger.remove(path);
      }),
    async moving(from, to, work) {
      await measured.within(LIMITS.filesMeasuredMs);
      await gate.alone(async () => {
        await work(ledger.heightOf(from));
        ledger.move(from, to);
      });
    },
  };
}

// --- internal ---

interface Sum {
  bytes: number;
  count: number;
}

function sumOf(sums: ReadonlyMap<string, Sum>, plugin: string): Sum {
  return sums.get(plugin) ?? { bytes: 0, count: 0 };
}

/** Where nothing is added, nothing is refused: a file may shrink in an area that is too full. */
function overflow(who: string, most: Held, held: readonly Held[], more: Held): VoxError | undefined {
  const bytes = held.reduce((total, each) => total + each.bytes, more.bytes);
  const count = held.reduce((total, each) => total + each.count, more.count);
  if (more.count > 0 && count > most.count)
    return fail(
      "capability.limit",
      `${who} at most ${most.count} files and folders, and there is no room for one more`,
    );
  if (more.bytes > 0 && bytes > most.bytes)
    return fail(
      "capability.limit",
      `${who} at most ${formatBytes(most.bytes)}, and there is no room for ${formatBytes(more.bytes)} more`,
    );
  return undefined;
}

async function checkDisk(
  store: Pick<FileStore, "space">,
  fresh: number,
  pending: ReadonlyMap<string, Sum>,
): Promise<void> {
  const { free, size } = await store.space([FILES]);
  const coming = [...pending.values()].reduce((total, sum) => total + sum.bytes, fresh);
  const floor = Math.min(size * LIMITS.diskFloorShare, LIMITS.diskFloorBytes);
  if (free - coming < floor)
    throw fail(
      "disk.full",
      `plugins leave ${formatBytes(Math.round(floor))} free on the disk that holds files/, and ${formatBytes(fresh)} more would not`,
    );
}

interface Measuring {
  /** Resolves when the sums are no older than that. Never called within the gate, which it waits for. */
  within(ms: number): Promise<void>;
  complete(): boolean;
}

function makeMeasuring({ store, limits, clock }: FileQuotaOptions, ledger: Ledger, gate: Gate): Measuring {
  let at = Number.NEGATIVE_INFINITY;
  let complete = true;
  let running: Promise<void> | undefined;

  async function measure(): Promise<void> {
    const result = await measureFiles(store, limits().maxCount);
    ledger.replace(result.found, result.complete);
    complete = result.complete;
    at = clock.monotonic();
  }

  return {
    async within(ms) {
      if (clock.monotonic() - at < ms) return;
      running ??= gate.alone(measure).finally(() => (running = undefined));
      await running;
    },
    complete: () => complete,
  };
}
