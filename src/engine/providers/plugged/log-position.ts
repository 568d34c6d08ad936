/**
 * Where to go on in the log of a provider that is a plugin. One that knows positions has its own; of one that gives a text each time, the
 * lines that were taken are found again: by their number while the whole log is there, else by the last of them. Pure. Called by
 * look-at-logs.ts.
 */

export type LogPosition =
  | { readonly kind: "own"; readonly text: string }
  /** `count`: undefined once the log is longer than what is shown of it. */
  | { readonly kind: "lines"; readonly count: number | undefined; readonly mark: string };

export function encodePosition(position: LogPosition): string {
  if (position.kind === "own") return `p${encodeURIComponent(position.text.toWellFormed())}`;
  return `t${position.count ?? ""},${position.mark}`;
}

/** What it can't read is no position: then it begins anew. */
export function decodePosition(text: string | undefined): LogPosition | undefined {
  if (text?.startsWith("p") === true) return { kind: "own", text: decodeURIComponent(text.slice(1)) };
  const [, count, mark] = /^t(\d*),(\w*)$/.exec(text ?? "") ?? [];
  if (mark === undefined) return undefined;
  return { kind: "lines", count: count === "" ? undefined : Number(count), mark };
}

/** The first of the lines that was not taken yet. `isWhole`: they are all that there ever were. */
export function firstNew(
  lines: readonly string[],
  isWhole: boolean,
  at: Extract<LogPosition, { readonly kind: "lines" }> | undefined,
): { readonly index: number; readonly isLost: boolean } {
  if (at === undefined) return { index: 0, isLost: false };
  const { count, mark } = at;
  if (isWhole && count !== undefined && count <= lines.length && markOf(lines, count) === mark)
    return { index: count, isLost: false };
  for (let end = lines.length; end > 0; end--)
    if (markOf(lines, end) === mark) return { index: end, isLost: false };
  // Another log, which began after the last look; or one of which more was written than is shown.
  return { index: 0, isLost: !isWhole };
}

/** Behind all of the lines. */
export function behind(lines: readonly string[], isWhole: boolean): LogPosition {
  return {
    kind: "lines",
    count: isWhole ? lines.length : undefined,
    mark: markOf(lines, lines.length),
  };
}

// --- internal ---

/** Of so many lines: one alone often stands there twice. */
const MARKED = 8;

function markOf(lines: readonly string[], end: number): string {
  return Bun.hash(lines.slice(Math.max(0, end - MARKED), end).join("\n")).toString(36);
}
