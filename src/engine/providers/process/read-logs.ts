/**
 * The lines of an instance's output: what is there, then, for a follower, what comes. Both streams are merged by the
 * times that the store noted. Called by provider.ts.
 */
import { timestamp, type Clock } from "../../../base/clock.ts";
import { parseSince } from "../parse-since.ts";
import type { LogLine, LogOptions } from "../provider.ts";
import { makeLineSplitter } from "./line-splitter.ts";
import type { LogStore } from "./log-store.ts";

/** `ended`: nothing more will be written. */
export async function* readInstanceLogs(
  store: LogStore,
  ended: () => boolean,
  options: LogOptions,
  clock: Clock,
): AsyncGenerator<LogLine> {
  const { follow, signal } = options;
  const wanted = sinceFilter(options.since);
  const reader = makeReader(store);
  yield* lastLines(reader.history(clock.now()), options.tail, wanted, clock);
  for (let more = follow; more && !signal.aborted;) {
    // Asked before reading: what was written before the end is read after it.
    more = !ended();
    for (const line of reader.next(clock.now())) if (wanted(line)) yield line;
    if (more) await clock.sleep(FOLLOW_POLL_MS, signal).catch(() => {});
  }
  for (const line of reader.finish(clock.now())) if (wanted(line)) yield line;
}

// --- internal ---

const FOLLOW_POLL_MS = 100;
const CHUNK_BYTES = 64 * 1024;
const LINES_AT_ONCE = 5000;
const STREAMS = ["stdout", "stderr"] as const;

type Ends = { readonly [S in (typeof STREAMS)[number]]: number };

function makeReader(store: LogStore) {
  const at = { stdout: 0, stderr: 0 };
  const splitters = { stdout: makeLineSplitter(), stderr: makeLineSplitter() };

  /** The lines up to `ends`, the one stream and then the other. */
  function* upTo(ends: Ends, ms: number): Generator<LogLine> {
    const stamp = timestamp(ms);
    for (const stream of STREAMS) {
      at[stream] = Math.max(at[stream], store[stream].start());
      while (at[stream] < ends[stream]) {
        const { position, bytes } = store[stream].read(
          at[stream],
          Math.min(CHUNK_BYTES, ends[stream] - at[stream]),
        );
        at[stream] = position + bytes.length;
        if (bytes.length === 0) break;
        for (const text of splitters[stream].add(bytes)) yield { stream, at: stamp, text };
      }
    }
  }
  const ends = (): Ends => ({ stdout: store.stdout.end(), stderr: store.stderr.end() });

  return {
    *history(nowMs: number): Generator<LogLine> {
      for (const mark of store.marks()) yield* upTo(mark, mark.ms);
      yield* upTo(ends(), nowMs);
    },
    next: (nowMs: number) => upTo(ends(), nowMs),
    *finish(nowMs: number): Generator<LogLine> {
      for (const stream of STREAMS) {
        for (const text of splitters[stream].finish()) yield { stream, at: timestamp(nowMs), text };
      }
    },
  };
}

/** Only the last `tail` of what is wanted, or all of it. Lets others run now and then: there may be many. */
async function* lastLines(
  lines: Iterable<LogLine>,
  tail: number | undefined,
  wanted: (line: LogLine) => boolean,
  clock: Clock,
): AsyncGenerator<LogLine> {
  let kept: LogLine[] = [];
  let seen = 0;
  for (const line of lines) {
    if (++seen % LINES_AT_ONCE === 0) await clock.sleep(0);
    if (!wanted(line)) continue;
    if (tail === undefined) yield line;
    else kept.push(line);
    if (tail !== undefined && kept.length >= tail + LINES_AT_ONCE) kept = kept.slice(-tail || kept.length);
  }
  yield* kept.slice(Math.max(0, kept.length - (tail ?? 0)));
}

function sinceFilter(since: string | undefined): (line: LogLine) => boolean {
  if (since === undefined) return () => true;
  const ms = parseSince(since);
  return (line) => Date.parse(line.at ?? "") >= ms;
}
