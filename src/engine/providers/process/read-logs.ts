/**
 * The output of an instance, from a position on: whole lines of both streams, looked for several times a second, and the last
 * line without an end once the instance has ended. It keeps nothing but the position. Called by provider.ts.
 */
import { LIMITS } from "../../../base/limits.ts";
import type { Clock } from "../../../base/clock.ts";
import { lastParts, linesText, lostText, wholeLines } from "../log-text.ts";
import type { LogBatch, LogLook, LogOptions, LogPart } from "../provider.ts";
import type { LogStore } from "./log-store.ts";

/** `ended`: nothing more will be written. */
export async function* readInstanceLogs(
  store: LogStore,
  ended: () => boolean,
  { from, look, signal }: LogOptions,
  clock: Clock,
): AsyncGenerator<LogBatch> {
  const at = parsePosition(from);
  const looked = { stdout: -1, stderr: -1 };
  if (look !== undefined) {
    yield* readNow(store, at, look, signal, clock);
    if (!look.follow) return;
  }
  while (!signal.aborted) {
    // Who looks takes nothing away from others who look.
    if (look === undefined) for (const stream of STREAMS) store[stream].release(at[stream]);
    // A flood comes faster than the regular look at it.
    store.tend();
    // Asked before reading: what was written before the end is read after it.
    const isLast = ended();
    const parts: LogPart[] = [];
    for (const stream of STREAMS) {
      const end = store[stream].end();
      if (end === looked[stream] && !isLast) continue;
      const next = take(store, stream, at[stream], isLast, clock.now());
      // What has more than was taken is looked at again.
      if (next.position === at[stream]) looked[stream] = end;
      at[stream] = next.position;
      parts.push(...next.parts);
    }
    if (parts.length > 0) yield { parts, position: `${at.stdout},${at.stderr}` };
    else if (isLast) return;
    else await clock.sleep(LIMITS.logLookMs, signal).catch(() => {});
  }
}

// --- internal ---

const STREAMS = ["stdout", "stderr"] as const;
type Stream = (typeof STREAMS)[number];

function parsePosition(from: string | undefined): { [S in Stream]: number } {
  const [, stdout, stderr] = /^(\d+),(\d+)$/.exec(from ?? "") ?? [];
  return { stdout: Number(stdout ?? 0), stderr: Number(stderr ?? 0) };
}

/** What has been written by now, or the last lines of it; moves `at` behind it. */
async function* readNow(
  store: LogStore,
  at: { [S in Stream]: number },
  { tail, follow }: LogLook,
  signal: AbortSignal,
  clock: Clock,
): AsyncGenerator<LogBatch> {
  const position = (): string => `${at.stdout},${at.stderr}`;
  const last: LogPart[] = [];
  for (const stream of STREAMS) {
    const end = store[stream].end();
    let held: readonly LogPart[] = [];
    while (at[stream] < end && !signal.aborted) {
      const next = take(store, stream, at[stream], !follow, clock.now());
      if (next.position === at[stream]) break;
      at[stream] = next.position;
      if (tail === undefined) yield { parts: next.parts, position: position() };
      else held = lastParts([...held, ...next.parts], tail);
      // A large one is read in many parts, and others of the daemon want their turn.
      await new Promise((resolve) => setImmediate(resolve));
    }
    last.push(...held);
  }
  if (tail === undefined) return;
  const inOrder = last.toSorted((one, other) => one.atMs - other.atMs);
  yield { parts: lastParts(inOrder, tail), position: position() };
}

/** The lines at the position, one block of them. A look at the file's own time says when they were written while nobody looked. */
function take(
  store: LogStore,
  stream: Stream,
  from: number,
  isLast: boolean,
  nowMs: number,
): { readonly position: number; readonly parts: readonly LogPart[] } {
  const { position, bytes, writtenMs, ...read } = store[stream].read(from, LIMITS.logLineBytes);
  const atMs = Math.min(nowMs, Math.floor(writtenMs ?? nowMs));
  const lost: LogPart[] =
    position > from ? [{ stream: "stderr", atMs, text: lostText(position - from) }] : [];
  const count = wholeLines(bytes);
  const length = count === 0 && (isLast || read.isLast) ? bytes.length : count;
  if (length === 0) return { position, parts: lost };
  return {
    position: position + length,
    parts: [...lost, { stream, atMs, text: linesText(bytes.subarray(0, length)) }],
  };
}
