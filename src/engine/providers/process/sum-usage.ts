/** Which processes are an instance's, and what they use together. Pure. Called by process-usage.ts. */

export interface ProcessUsage {
  readonly cpuSeconds: number;
  readonly memoryBytes: number;
  readonly blockReadBytes?: number;
  readonly blockWriteBytes?: number;
}

export interface ProcessRow {
  readonly pid: number;
  readonly parent: number;
  readonly session: number;
  readonly startTicks: number;
  /** The instance that it was started for. */
  readonly mark: string;
  readonly cpuSeconds: number;
  readonly residentBytes: number;
  /** Of these, what others may have too: asked for members only. */
  readonly sharedBytes: () => number;
}

/** Nothing where none is left. */
export function sumUsage(
  rows: readonly ProcessRow[],
  instance: string,
  main: number,
): (ProcessUsage & { readonly pids: readonly number[] }) | undefined {
  const members = membersOf(rows, instance, main);
  if (members.length === 0) return undefined;
  let own = 0;
  let shared = 0;
  for (const { residentBytes, sharedBytes } of members) {
    const common = Math.min(residentBytes, sharedBytes());
    own += residentBytes - common;
    // Processes of one program share its code: counted once, as that of the one that has most of it.
    shared = Math.max(shared, common);
  }
  return {
    pids: members.map(({ pid }) => pid),
    cpuSeconds: members.reduce((total, { cpuSeconds }) => total + cpuSeconds, 0),
    memoryBytes: own + shared,
  };
}

// --- internal ---

function membersOf(rows: readonly ProcessRow[], instance: string, main: number): readonly ProcessRow[] {
  const pids = new Set(
    rows
      .filter(({ pid, session, mark }) => pid === main || session === main || mark === instance)
      .map(({ pid }) => pid),
  );
  for (let before = -1; before !== pids.size;) {
    before = pids.size;
    for (const { pid, parent } of rows) if (pids.has(parent)) pids.add(pid);
  }
  return rows.filter(({ pid }) => pids.has(pid));
}
