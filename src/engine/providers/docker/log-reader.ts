/**
 * From what the engine sends of a log with timestamps to batches of whole lines. The engine cuts long lines into messages of
 * 16 KiB and stamps each, so the stamps in the middle are taken out again. What was read before is passed over by the position of
 * its last message and not by its time: several have one time, and times don't always grow. Pure. Called by logs.ts.
 */
import type { LogBatch, OutputStream } from "../provider.ts";
import { makeFrameReader } from "./frames.ts";
import { formatLogPosition, type LogPosition } from "./log-position.ts";
import { makeOpenLine } from "./open-line.ts";
import { makeResentMessages } from "./resent.ts";

export interface LogReader {
  add(chunk: Uint8Array): void;
  /** Characters that wait to be taken. */
  waiting(): number;
  /** What has come since the last call, in whole lines; nothing where no message came. */
  take(): LogBatch | undefined;
  /** As `take`, with the lines that have no end. */
  finish(): LogBatch | undefined;
  position(): LogPosition | undefined;
  /** The last message that was read before has not been met yet. */
  isBehind(): boolean;
  /** It has not, and won't be: the engine has thrown it away, and all that it sends is new. */
  isLost(): boolean;
}

/** `from`: messages up to and including this one were read before. */
export function makeLogReader(from: LogPosition | undefined): LogReader {
  const open = { stdout: makeOpenLine(), stderr: makeOpenLine() };
  const resent = { stdout: makeResentMessages(), stderr: makeResentMessages() };
  /** Of each stream the newest stamp, and how many messages had it. */
  const counts = { stdout: { stamp: "", count: 0 }, stderr: { stamp: "", count: 0 } };
  let parts: { stream: OutputStream; atMs: number; text: string }[] = [];
  let partStamp = "";
  let waiting = 0;
  let isBehind = from !== undefined;
  let isLost = false;
  let hasNews = false;
  let position = from;

  function give(stream: OutputStream, stamp: string, text: string): void {
    waiting += text.length + 1;
    const milliseconds = stamp.slice(0, STAMP_CHARS);
    const part = parts.at(-1);
    // Many lines of one millisecond are one part.
    if (part?.stream === stream && partStamp === milliseconds) part.text += `\n${text}`;
    else parts.push({ stream, atMs: Date.parse(stamp), text });
    partStamp = milliseconds;
  }

  function passOver(stream: OutputStream, stamp: string, count: number): void {
    if (from === undefined) return;
    isLost ||= Date.parse(stamp) > Date.parse(from.stamp) + DISORDER_MS;
    if (stamp !== from.stamp || stream !== from.stream || count !== from.count) return;
    isBehind = false;
    for (const each of STREAMS) open[each].keepLast(from.open[each]);
  }

  const read = makeFrameReader((stream, frame) => {
    const space = Math.max(frame.indexOf(SPACE), 0);
    const stamp = frame.toString("latin1", 0, space);
    const body = frame.subarray(space + 1);
    if (resent[stream].has(stamp, body)) return;
    const known = counts[stream];
    known.count = known.stamp === stamp ? known.count + 1 : 1;
    known.stamp = stamp;
    const text = open[stream].add(body);
    if (isBehind) return passOver(stream, stamp, known.count);
    hasNews = true;
    position = { stamp, stream, count: known.count, open: NOTHING_OPEN };
    if (text !== undefined) give(stream, stamp, text);
  });

  function now(): LogPosition | undefined {
    if (position === undefined || isBehind) return position;
    return { ...position, open: { stdout: open.stdout.bytes(), stderr: open.stderr.bytes() } };
  }

  function take(): LogBatch | undefined {
    const where = now();
    if (!hasNews || where === undefined) return undefined;
    const batch: LogBatch = { parts: parts, position: formatLogPosition(where) };
    parts = [];
    waiting = 0;
    hasNews = false;
    return batch;
  }

  return {
    add: read,
    waiting: () => waiting,
    take,
    finish() {
      for (const stream of STREAMS) {
        const text = isBehind ? undefined : open[stream].finish();
        if (text !== undefined) give(stream, counts[stream].stamp, text);
        hasNews ||= text !== undefined;
      }
      return take();
    },
    position: now,
    isBehind: () => isBehind,
    isLost: () => isBehind && isLost,
  };
}

// --- internal ---

const SPACE = 0x20;
const STREAMS = ["stdout", "stderr"] as const;
const NOTHING_OPEN = { stdout: 0, stderr: 0 };
/** `2026-01-31T08:00:00.123`: the rest is what nobody asks for. */
const STAMP_CHARS = 23;
/** The two streams of a container are stamped before they are put in order. */
const DISORDER_MS = 1_000;
