/**
 * Reads a service's log: the newest lines that somebody wants, or all of them, and then what comes. A reader keeps a place in the
 * files and nothing else, so that one that is slow costs no memory, and between the old lines and the new ones none is missing.
 * Called by logs.ts.
 */
import { timestamp, type Clock } from "../../base/clock.ts";
import { lostText } from "../providers/log-text.ts";
import { makeMatcher, type LogFilter, type Matcher } from "./match.ts";
import { makeSerial, type Serial } from "../serial.ts";
import type { Block, Cursor } from "./segments.ts";
import type { LogStore } from "./store.ts";
import type { ServiceLogLine } from "./stored-line.ts";

export interface ReadOptions extends LogFilter {
  /** Begin at the last so many lines of those that are wanted; undefined: at the oldest. */
  readonly lines?: number | undefined;
  readonly follow: boolean;
  readonly signal: AbortSignal;
}

export async function* readStore(
  store: LogStore,
  { lines, follow, signal, ...filter }: ReadOptions,
  clock: Clock,
  turn: Serial = makeSerial(),
): AsyncGenerator<ServiceLogLine> {
  const match = makeMatcher(filter);
  const end = store.end();
  let at = lines === undefined ? store.first() : await startOfLast(store, match, lines, end, signal, turn);
  while (!signal.aborted) {
    const changed = store.changed();
    const block = await look(turn, match, signal, () => store.readFrom(at, BLOCK_BYTES));
    if (signal.aborted) return;
    if (block === undefined || (!follow && isBehind(block.start, end))) {
      if (!follow || store.isClosed()) return;
      await orAborted(changed, signal);
      continue;
    }
    if (block.isCutOff) yield cutOff(clock);
    for (const { offset, ...line } of block.found) {
      if (!follow && isBehind({ segment: block.start.segment, offset: block.start.offset + offset }, end))
        return;
      yield line;
      if (signal.aborted) return;
    }
    at = block.next;
  }
}

// --- internal ---

/** What is looked through at a time; in between others of the daemon have their turn. */
const BLOCK_BYTES = 256 * 1024;

function isBehind(place: Cursor, end: Cursor): boolean {
  return place.segment > end.segment || (place.segment === end.segment && place.offset >= end.offset);
}

async function startOfLast(
  store: LogStore,
  match: Matcher,
  count: number,
  end: Cursor,
  signal: AbortSignal,
  turn: Serial,
): Promise<Cursor> {
  let at = end;
  for (let missing = count; missing > 0 && !signal.aborted;) {
    const block = await look(turn, match, signal, () => store.readBefore(at, BLOCK_BYTES));
    if (block === undefined) break;
    const { found } = block;
    at = block.start;
    const first = found[found.length - missing];
    if (first !== undefined) return { segment: at.segment, offset: at.offset + first.offset };
    missing -= found.length;
  }
  return at;
}

/**
 * One block is looked through at a time, whoever wants it, and then everybody else has a turn: a plugin may ask a hundred times at once
 * for what stands nowhere.
 */
function look(
  turn: Serial,
  match: Matcher,
  signal: AbortSignal,
  read: () => Promise<Block | undefined>,
): Promise<LookedThrough | undefined> {
  return turn(async () => {
    const block = signal.aborted ? undefined : await read();
    if (block === undefined) return undefined;
    const found = match(block.bytes);
    await new Promise((resolve) => setImmediate(resolve));
    return { ...block, found };
  });
}

interface LookedThrough extends Block {
  readonly found: ReturnType<Matcher>;
}

/** For a follower that was slower than the log's end grew and its beginning went. */
function cutOff(clock: Clock): ServiceLogLine {
  return { at: timestamp(clock.now()), level: "warn", stream: "stderr", version: 0, text: lostText() };
}

async function orAborted(changed: Promise<void>, signal: AbortSignal): Promise<void> {
  const { promise: aborted, resolve } = Promise.withResolvers<void>();
  const stop = (): void => resolve();
  signal.addEventListener("abort", stop, { once: true });
  if (signal.aborted) stop();
  await Promise.race([changed, aborted]);
  signal.removeEventListener("abort", stop);
}
