/**
 * The files of one service's log: written at the end of the newest, the oldest go first when there is too much. What was not
 * written whole is not there: a write counts when its last line, which says how far the sources were read, is on disk.
 * Writers take turns; nothing here waits for the disk on the daemon's own thread. Called by store.ts.
 */
import { mkdir, open, readdir, rm, stat, truncate, type FileHandle } from "node:fs/promises";
import { join } from "node:path";
import { systemCode } from "../../base/errors.ts";
import { POSITIONS_MARK } from "./stored-line.ts";

/** A place between two lines. */
export interface Cursor {
  readonly segment: number;
  readonly offset: number;
}

export interface Segments {
  first(): Cursor;
  end(): Cursor;
  /** The last line of the newest write. */
  lastLine(): string;
  /** `bytes` end with a line that begins with `#`; `head`, such a line too, comes first in a new file. */
  append(bytes: Buffer, head: string): Promise<void>;
  /** About so many bytes of whole lines from the cursor on; nothing at the end. */
  readFrom(cursor: Cursor, bytes: number): Promise<Block | undefined>;
  /** The same before the cursor; nothing at the beginning. */
  readBefore(cursor: Cursor, bytes: number): Promise<Block | undefined>;
  close(): Promise<void>;
}

export interface Block {
  readonly start: Cursor;
  /** Where the next one begins. */
  readonly next: Cursor;
  readonly bytes: Buffer;
  /** Lines were thrown away between the place that was asked for and this one. */
  readonly isCutOff: boolean;
}

/** `maxBytes`: asked at each write, so that a reload counts. */
export async function openSegments(dir: string, maxBytes: () => number): Promise<Segments> {
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const sizes = await findSegments(dir);
  let last = await recover(dir, sizes);
  let writer: FileHandle | undefined;

  const first = (): Cursor => ({ segment: sizes.keys().next().value ?? 1, offset: 0 });
  const newest = (): number => [...sizes.keys()].at(-1) ?? 0;
  const end = (): Cursor => ({ segment: Math.max(1, newest()), offset: sizes.get(newest()) ?? 0 });

  async function begin(segment: number): Promise<void> {
    await writer?.close();
    writer = undefined;
    writer = await open(pathOf(dir, segment), "w", 0o600);
    sizes.set(segment, 0);
  }

  async function makeRoom(bytes: number): Promise<void> {
    let total = [...sizes.values()].reduce((sum, size) => sum + size, bytes);
    for (const [segment, size] of sizes) {
      if (total <= maxBytes() || sizes.size === 1) return;
      sizes.delete(segment);
      total -= size;
      await rm(pathOf(dir, segment), { force: true });
    }
  }

  async function readFrom(cursor: Cursor, bytes: number): Promise<Block | undefined> {
    let at = cursor;
    const isCutOff = at.segment < first().segment;
    if (isCutOff) at = first();
    while (at.offset >= (sizes.get(at.segment) ?? 0)) {
      if (at.segment >= newest()) return undefined;
      at = { segment: at.segment + 1, offset: 0 };
    }
    const block = await readLines(dir, at, sizes.get(at.segment) ?? 0, bytes);
    // Thrown away meanwhile.
    if (block === undefined) return readFrom({ segment: at.segment + 1, offset: 0 }, bytes);
    const next = { segment: at.segment, offset: at.offset + block.length };
    return { start: at, next, bytes: block, isCutOff };
  }

  return {
    first,
    end,
    readFrom,
    lastLine: () => last,
    async append(bytes, head) {
      let data = bytes;
      if (newest() === 0 || end().offset >= maxBytes() / SEGMENTS) {
        await begin(newest() + 1);
        data = Buffer.concat([Buffer.from(head), bytes]);
      }
      writer ??= await open(pathOf(dir, newest()), "r+");
      await makeRoom(data.length);
      const { segment, offset } = end();
      // What a write that failed left behind is written over.
      await writeAll(writer, data, offset);
      sizes.set(segment, offset + data.length);
      last = lineAtEnd(data);
    },
    async readBefore(cursor, bytes) {
      let at = cursor;
      while (at.offset === 0) {
        if (at.segment <= first().segment) return undefined;
        at = { segment: at.segment - 1, offset: sizes.get(at.segment - 1) ?? 0 };
      }
      const block = await readLinesBefore(dir, at, bytes);
      if (block === undefined) return undefined;
      const start = { segment: at.segment, offset: at.offset - block.length };
      return { start, next: at, bytes: block, isCutOff: false };
    },
    async close() {
      await writer?.close();
      writer = undefined;
    },
  };
}

// --- internal ---

/** Of so many files the log is made: what goes at a time is one of them. */
const SEGMENTS = 8;
const TAIL_BYTES = 256 * 1024;
const NEWLINE = 0x0a;

function pathOf(dir: string, segment: number): string {
  return join(dir, `${String(segment).padStart(8, "0")}.log`);
}

/** Their sizes, the oldest first. */
async function findSegments(dir: string): Promise<Map<number, number>> {
  const numbers = (await readdir(dir))
    .map((name) => Number(/^(\d{8,12})\.log$/.exec(name)?.[1] ?? Number.NaN))
    .filter((number) => Number.isSafeInteger(number))
    .toSorted((a, b) => a - b);
  const sizes = new Map<number, number>();
  for (const segment of numbers) sizes.set(segment, (await stat(pathOf(dir, segment))).size);
  return sizes;
}

/** Cuts off what was not written whole; gives the last line. */
async function recover(dir: string, sizes: Map<number, number>): Promise<string> {
  for (const [segment, size] of [...sizes].toReversed()) {
    const tail =
      (await lastWhole(dir, segment, size, TAIL_BYTES)) ?? (await lastWhole(dir, segment, size, size));
    if (tail !== undefined) {
      if (tail.end < size) await truncate(pathOf(dir, segment), tail.end);
      sizes.set(segment, tail.end);
      return tail.line;
    }
    // Begun, and nothing in it counts.
    await rm(pathOf(dir, segment), { force: true });
    sizes.delete(segment);
  }
  return "";
}

async function lastWhole(
  dir: string,
  segment: number,
  size: number,
  bytes: number,
): Promise<{ readonly end: number; readonly line: string } | undefined> {
  const from = Math.max(0, size - bytes);
  const tail = await readRange(dir, { segment, offset: from }, size - from);
  if (tail === undefined) return undefined;
  for (
    let end = tail.lastIndexOf(NEWLINE);
    end >= 0;
    end = end === 0 ? -1 : tail.lastIndexOf(NEWLINE, end - 1)
  ) {
    const start = end === 0 ? 0 : tail.lastIndexOf(NEWLINE, end - 1) + 1;
    // A line whose beginning is not in sight is none that we know.
    if ((start > 0 || from === 0) && tail[start] === POSITIONS_MARK)
      return { end: from + end + 1, line: tail.toString("utf8", start, end) };
  }
  return undefined;
}

function lineAtEnd(data: Buffer): string {
  const start = data.length < 2 ? 0 : data.lastIndexOf(NEWLINE, data.length - 2) + 1;
  return data.toString("utf8", start, data.length - 1);
}

async function writeAll(writer: FileHandle, data: Buffer, offset: number): Promise<void> {
  for (let done = 0; done < data.length;) {
    const { bytesWritten } = await writer.write(data, done, data.length - done, offset + done);
    done += bytesWritten;
  }
}

/** Grows the block until a line ends in it. Nothing where the file is gone. */
async function readLines(dir: string, at: Cursor, size: number, bytes: number): Promise<Buffer | undefined> {
  for (let wanted = bytes; ; wanted *= 2) {
    const length = Math.min(wanted, size - at.offset);
    const block = await readRange(dir, at, length);
    if (block === undefined || block.length === 0) return undefined;
    if (length === size - at.offset) return block;
    const end = block.lastIndexOf(NEWLINE) + 1;
    if (end > 0) return block.subarray(0, end);
  }
}

async function readLinesBefore(dir: string, at: Cursor, bytes: number): Promise<Buffer | undefined> {
  for (let wanted = bytes; ; wanted *= 2) {
    const offset = Math.max(0, at.offset - wanted);
    const block = await readRange(dir, { segment: at.segment, offset }, at.offset - offset);
    if (block === undefined || block.length === 0) return undefined;
    if (offset === 0) return block;
    // Not the newline that is the block's last byte: that would be a block without a line.
    const start = block.indexOf(NEWLINE) + 1;
    if (start > 0 && start < block.length) return block.subarray(start);
  }
}

async function readRange(dir: string, at: Cursor, length: number): Promise<Buffer | undefined> {
  let file: FileHandle;
  try {
    file = await open(pathOf(dir, at.segment), "r");
  } catch (error) {
    if (systemCode(error) === "ENOENT") return undefined;
    throw error;
  }
  try {
    const buffer = Buffer.allocUnsafe(length);
    const { bytesRead } = await file.read(buffer, 0, length, at.offset);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}
