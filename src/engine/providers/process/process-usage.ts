/**
 * What the processes of all instances use, read from /proc in one look that several questions share: one look for each instance
 * would read every process of the machine as many times. A process belongs to an instance by its session, its parents, or the mark in
 * its environment, as in process-table.ts. Linux only. Made and asked by provider.ts.
 */
import { readdirSync, readFileSync } from "node:fs";
import type { Clock } from "../../../base/clock.ts";
import { statFields } from "../../../platform/stat-fields.ts";
import { INSTANCE_MARK } from "./kill.ts";
import { sumUsage, type ProcessRow, type ProcessUsage } from "./sum-usage.ts";

export interface ProcessUsages {
  /** Of all processes of the instance whose first process is `main`; nothing where there are none. */
  of(instance: string, main: number): Promise<ProcessUsage | undefined>;
}

export function makeProcessUsages(clock: Clock, pageBytes: () => number): ProcessUsages {
  /** By pid and start: a process keeps the mark that it was born with. */
  const marks = new Map<string, string>();
  let look: { readonly at: number; readonly rows: Promise<readonly ProcessRow[]> } | undefined;

  async function readAll(): Promise<readonly ProcessRow[]> {
    const rows: ProcessRow[] = [];
    const seen = new Set<string>();
    let read = 0;
    for (const entry of readdirSync("/proc")) {
      if (!/^\d+$/.test(entry)) continue;
      // The daemon has one thread: others get their turn in between.
      if (++read % AT_ONCE === 0) await clock.sleep(0);
      const row = readRow(Number(entry), pageBytes());
      if (row === undefined) continue;
      const key = `${row.pid} ${row.startTicks}`;
      seen.add(key);
      if (!marks.has(key)) marks.set(key, readMark(row.pid));
      rows.push({ ...row, mark: marks.get(key) ?? "" });
    }
    for (const key of marks.keys()) if (!seen.has(key)) marks.delete(key);
    return rows;
  }

  function rowsNow(): Promise<readonly ProcessRow[]> {
    const now = clock.monotonic();
    if (look === undefined || now - look.at > FRESH_MS) look = { at: now, rows: readAll() };
    return look.rows;
  }

  return {
    async of(instance, main) {
      const usage = sumUsage(await rowsNow(), instance, main);
      if (usage === undefined) return undefined;
      const { pids, ...counts } = usage;
      return { ...counts, ...readBlocks(pids) };
    },
  };
}

// --- internal ---

/** So many processes are read before others get their turn: about a millisecond. */
const AT_ONCE = 100;
const FRESH_MS = 200;
/** The kernel's unit in /proc on all that we run on. */
const TICKS_PER_SECOND = 100;
const ENDED = new Set(["Z", "X", "x"]);

function readRow(pid: number, pageBytes: number): Omit<ProcessRow, "mark"> | undefined {
  const text = readText(`/proc/${pid}/stat`);
  if (text === undefined) return undefined;
  const fields = statFields(text);
  const number = (index: number) => Number(fields[index]);
  // A kernel's thread has no memory, an ended process has nothing.
  if (ENDED.has(fields[0] ?? "X") || number(20) === 0) return undefined;
  return {
    pid,
    parent: number(1),
    session: number(3),
    startTicks: number(19),
    // With what its children had that ended and were waited for.
    cpuSeconds: (number(11) + number(12) + number(13) + number(14)) / TICKS_PER_SECOND,
    residentBytes: number(21) * pageBytes,
    sharedBytes: () => Number(readText(`/proc/${pid}/statm`)?.split(" ")[2] ?? 0) * pageBytes,
  };
}

/** The instance that it was started for; '' where it is none of ours, or not ours to look at. */
function readMark(pid: number): string {
  const environment = readText(`/proc/${pid}/environ`) ?? "";
  return new RegExp(`(?:^|\\0)${INSTANCE_MARK}=([^\\0]*)`).exec(environment)?.[1] ?? "";
}

/** What went to and from disks, where the kernel lets us see it. */
function readBlocks(
  pids: readonly number[],
): Pick<ProcessUsage, "blockReadBytes" | "blockWriteBytes"> | undefined {
  const texts = pids.map((pid) => readText(`/proc/${pid}/io`)).filter((text) => text !== undefined);
  if (texts.length === 0) return undefined;
  const sum = (pattern: RegExp) =>
    texts.reduce((total, text) => total + Number(pattern.exec(text)?.[1] ?? 0), 0);
  return { blockReadBytes: sum(/^read_bytes: (\d+)/m), blockWriteBytes: sum(/^write_bytes: (\d+)/m) };
}

/** Nothing for one that ended meanwhile, or that belongs to someone else. */
function readText(path: string): string | undefined {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return undefined;
  }
}
