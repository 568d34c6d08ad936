/**
 * One output stream of an instance on disk: the file that the processes append to, and what was cut off before it. Bytes
 * have positions that count from the instance's first byte and survive the cutting. Bounded by copy and truncate, because
 * the writers keep their descriptor. Called by log-store.ts.
 */
import {
  closeSync,
  fstatSync,
  ftruncateSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { systemCode } from "../../../base/errors.ts";

export interface LogFile {
  /** Position of the oldest byte that is still there. */
  start(): number;
  /** Position behind the newest byte. */
  end(): number;
  /** A descriptor to append to, for a child. The caller closes it. */
  openToAppend(): number;
  /** At most `maxBytes` from `position`, or from the oldest byte if that is newer. Empty at the end. */
  read(position: number, maxBytes: number): { readonly position: number; readonly bytes: Buffer };
  /** When the file has more than `maxBytes`, keeps that many aside and begins a new one. */
  cut(maxBytes: number): void;
}

export function makeLogFile(dir: string, name: string): LogFile {
  const current = join(dir, `${name}.log`);
  let old = findOld(dir, name);
  const start = () => (old === undefined ? 0 : old.end - old.size);
  const base = () => old?.end ?? 0;

  return {
    start,
    end: () => base() + sizeOf(current),
    openToAppend: () => openSync(current, "a", 0o600),

    read(position, maxBytes) {
      const from = Math.max(position, start());
      const bytes =
        old !== undefined && from < old.end
          ? readAt(old.path, from - start(), Math.min(maxBytes, old.end - from))
          : readAt(current, from - base(), maxBytes);
      return { position: from, bytes };
    },

    cut(maxBytes) {
      if (sizeOf(current) <= maxBytes) return;
      const before = old;
      old = setAside(dir, name, base(), maxBytes);
      if (before !== undefined) rmSync(before.path, { force: true });
    },
  };
}

// --- internal ---

const CHUNK_BYTES = 256 * 1024;

/** Bytes that are no longer in the current file; its name says the position behind its last one. */
interface OldFile {
  readonly path: string;
  readonly end: number;
  readonly size: number;
}

function findOld(dir: string, name: string): OldFile | undefined {
  const pattern = new RegExp(`^${name}\\.(\\d+)\\.log$`);
  const [newest, ...rest] = namesIn(dir)
    .map((file) => ({ path: join(dir, file), end: Number(pattern.exec(file)?.[1] ?? Number.NaN) }))
    .filter((file) => Number.isSafeInteger(file.end))
    .toSorted((a, b) => b.end - a.end);
  // More than one: the daemon was killed while it cut.
  for (const { path } of rest) rmSync(path, { force: true });
  return newest === undefined ? undefined : { ...newest, size: sizeOf(newest.path) };
}

/** Writers go on meanwhile: what comes between the end of the copy and the truncation, some microseconds, is lost. */
function setAside(dir: string, name: string, base: number, maxBytes: number): OldFile {
  const part = join(dir, `${name}.part`);
  const source = openSync(join(dir, `${name}.log`), "r+");
  const target = openSync(part, "w", 0o600);
  try {
    copyUpwards(source, target, Math.max(0, fstatSync(source).size - maxBytes), 2 * maxBytes);
    const end = base + fstatSync(source).size;
    ftruncateSync(source, 0);
    const path = join(dir, `${name}.${end}.log`);
    renameSync(part, path);
    return { path, end, size: fstatSync(target).size };
  } finally {
    closeSync(source);
    closeSync(target);
  }
}

/** Up to the end of the file, or `maxBytes` if someone writes faster. A full disk ends it early: the bound matters more. */
function copyUpwards(source: number, target: number, from: number, maxBytes: number): void {
  const buffer = Buffer.allocUnsafe(CHUNK_BYTES);
  for (let at = from; at < from + maxBytes;) {
    const count = readSync(source, buffer, 0, CHUNK_BYTES, at);
    if (count === 0) return;
    try {
      writeSync(target, buffer, 0, count);
    } catch (error) {
      if (systemCode(error) === "ENOSPC") return;
      throw error;
    }
    at += count;
  }
}

function readAt(path: string, offset: number, maxBytes: number): Buffer {
  let file: number;
  try {
    file = openSync(path, "r");
  } catch (error) {
    if (systemCode(error) === "ENOENT") return Buffer.alloc(0);
    throw error;
  }
  try {
    const buffer = Buffer.allocUnsafe(maxBytes);
    return buffer.subarray(0, readSync(file, buffer, 0, maxBytes, offset));
  } finally {
    closeSync(file);
  }
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

function namesIn(dir: string): string[] {
  try {
    return readdirSync(dir);
  } catch (error) {
    if (systemCode(error) === "ENOENT") return [];
    throw error;
  }
}
