/** Numbers and their table. A benchmark says what it ran, how often, and beside what. */

export interface Row {
  readonly what: string;
  readonly value: number;
  readonly unit: "ms" | "µs" | "MB" | "/s" | "×";
  /** Runs behind the number. */
  readonly runs: number;
  readonly aim?: string;
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

export function quantile(values: readonly number[], q: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? Number.NaN;
}

/** Milliseconds that `work` takes. */
export async function timed(work: () => unknown): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

/** The pauses between turns of the event loop while the work is under way. */
export async function heldUp(work: () => Promise<void>): Promise<number[]> {
  const pauses: number[] = [];
  const over = new AbortController();
  const watching = (async () => {
    while (!over.signal.aborted)
      pauses.push(await timed(() => new Promise((resolve) => setImmediate(resolve))));
  })();
  await work();
  over.abort();
  await watching;
  return pauses;
}

/** Runs each of the works in turn, `rounds` times over, so that a noisy second hits all of them. */
export async function interleaved<K extends string>(
  rounds: number,
  works: Readonly<Record<K, () => Promise<number>>>,
): Promise<Record<K, number[]>> {
  const results = Object.fromEntries(Object.keys(works).map((name) => [name, [] as number[]])) as Record<
    K,
    number[]
  >;
  for (let round = 0; round < rounds; round++)
    for (const [name, work] of Object.entries(works) as [K, () => Promise<number>][])
      results[name].push(await work());
  return results;
}

export function table(rows: readonly Row[]): string {
  const cells = rows.map(({ what, value, unit, runs, aim }) => [
    what,
    `${round(value)} ${unit}`,
    String(runs),
    aim ?? "",
  ]);
  const head = ["what", "median", "runs", "aim"];
  const widths = head.map((title, column) =>
    Math.max(title.length, ...cells.map((row) => [...(row[column] ?? "")].length)),
  );
  const line = (row: readonly string[]) =>
    `| ${row.map((cell, column) => cell + " ".repeat((widths[column] ?? 0) - [...cell].length)).join(" | ")} |`;
  return [line(head), `|${widths.map((width) => "-".repeat(width + 2)).join("|")}|`, ...cells.map(line)].join(
    "\n",
  );
}

// --- internal ---

function round(value: number): string {
  return value >= 100 ? Math.round(value).toLocaleString("en-US") : value.toPrecision(3);
}
