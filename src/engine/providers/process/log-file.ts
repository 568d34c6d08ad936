/**
 * One output stream of an instance on disk, from where it was let go of to its newest byte. Bytes have positions that count from
 * the instance's first one. The writers keep their descriptor, so the beginning is punched out below them: positions stay and
 * nothing that is written meanwhile is lost. Each start of the program gets a new file, named by its first position.
 * All calls are short and synchronous. Called by log-store.ts.
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
} from "node:fs";
import { join } from "node:path";
import { systemCode } from "../../../base/errors.ts";
import { LIMITS } from "../../../base/limits.ts";
import { firstData, punchHole } from "../../../platform/sparse-file.ts";

export interface LogFile {
  /** Position of the oldest byte that is still there. */
  start(): number;
  /** Position behind the newest byte. */
  end(): number;
  /** A descriptor to append to, for a child. The caller closes it. */
  openToAppend(): number;
  /** At most `maxBytes` from `position`, or from the oldest byte if that is newer. Empty at the end. */
  read(position: number, maxBytes: number): LogBytes;
  /** Lets go of what is before the position: of most of it, not at every call, and not of much at once. True: there is more of it. */
  release(position: number): boolean;
}

export interface LogBytes {
  readonly position: number;
  readonly bytes: Buffer;
  /** The program that wrote them has ended, and these are its last. */
  readonly isLast: boolean;
  /** When the file was written to the last time. */
  readonly writtenMs: number | undefined;
}

/** `punch` says false: the file system can't give back the beginning of a file that grows. */
export function makeLogFile(dir: string, name: string, punch = punchHole): LogFile {
  let pieces = findPieces(dir, name);
  const newest = () => pieces.at(-1);
  const end = () => endOf(newest());

  /** Where nothing can be punched, all of it goes at once; what comes between the look and the cut, some microseconds, is lost. */
  function cutAll(piece: Piece): void {
    withFile(piece.path, "r+", (file) => {
      const base = piece.base + fstatSync(file).size;
      ftruncateSync(file, 0);
      const moved = { path: pathOf(dir, name, base), base, start: base };
      renameSync(piece.path, moved.path);
      pieces = [moved, ...pieces.filter((each) => each !== piece)];
    });
  }

  function punchUpTo(piece: Piece, position: number): boolean {
    const from = piece.start - piece.base - ((piece.start - piece.base) % BLOCK_BYTES);
    const wanted = position - piece.base - from;
    if (wanted < RELEASE_BYTES) return false;
    const bytes = Math.min(wanted - (wanted % BLOCK_BYTES), RELEASE_MOST_BYTES);
    const isPunched = withFile(piece.path, "r+", (file) => punch(file, from, bytes)) ?? true;
    if (isPunched) piece.start = piece.base + from + bytes;
    else if (position === endOf(piece) || endOf(piece) - piece.start > LIMITS.instanceLogBytes) cutAll(piece);
    return isPunched && bytes === RELEASE_MOST_BYTES;
  }

  return {
    start: () => pieces[0]?.start ?? 0,
    end,
    openToAppend() {
      const last = newest();
      if (last === undefined || sizeOf(last.path) > 0) {
        const base = end();
        pieces.push({ path: pathOf(dir, name, base), base, start: base });
      }
      return openSync(newest()?.path ?? "", "a", 0o600);
    },
    read(position, maxBytes) {
      const from = Math.max(position, pieces[0]?.start ?? 0);
      const piece = pieces.find((each) => from < endOf(each));
      if (piece === undefined)
        return { position: from, bytes: Buffer.alloc(0), isLast: false, writtenMs: undefined };
      const { bytes, writtenMs } = readAt(piece.path, from - piece.base, maxBytes);
      const isLast = piece !== newest() && from + bytes.length === endOf(piece);
      return { position: from, bytes, isLast, writtenMs };
    },
    release(position) {
      while (pieces.length > 1 && endOf(pieces[0]) <= position) {
        rmSync(pieces.shift()?.path ?? "", { force: true });
      }
      const [piece] = pieces;
      if (piece === undefined || position <= piece.start) return false;
      return punchUpTo(piece, Math.min(position, endOf(piece)));
    },
  };
}

// --- internal ---

interface Piece {
  readonly path: string;
  /** Position of its first byte, and of the first that was not given back. */
  readonly base: number;
  start: number;
}

/** What is given back at a time; and a multiple of what file systems call a block, since only whole ones are given back. */
const RELEASE_BYTES = 1024 * 1024;
/** The system takes some milliseconds to free so much. */
const RELEASE_MOST_BYTES = 32 * 1024 * 1024;
const BLOCK_BYTES = 64 * 1024;

function pathOf(dir: string, name: string, base: number): string {
  return join(dir, `${name}.${base}.log`);
}

function endOf(piece: Piece | undefined): number {
  return piece === undefined ? 0 : piece.base + sizeOf(piece.path);
}

function findPieces(dir: string, name: string): Piece[] {
  const pattern = new RegExp(`^${name}\\.(\\d+)\\.log$`);
  return namesIn(dir)
    .map((file) => ({ path: join(dir, file), base: Number(pattern.exec(file)?.[1] ?? Number.NaN) }))
    .filter(({ base }) => Number.isSafeInteger(base))
    .toSorted((a, b) => a.base - b.base)
    .map((piece) => ({ ...piece, start: piece.base + firstDataOf(piece.path) }));
}

function firstDataOf(path: string): number {
  return withFile(path, "r", (file) => Math.min(firstData(file), fstatSync(file).size)) ?? 0;
}

function readAt(
  path: string,
  offset: number,
  maxBytes: number,
): { readonly bytes: Buffer; readonly writtenMs: number | undefined } {
  const read = withFile(path, "r", (file) => {
    const { size, mtimeMs } = fstatSync(file);
    const buffer = Buffer.allocUnsafe(Math.min(maxBytes, Math.max(0, size - offset)));
    const count = readSync(file, buffer, 0, buffer.length, offset);
    return { bytes: buffer.subarray(0, count), writtenMs: mtimeMs };
  });
  return read ?? { bytes: Buffer.alloc(0), writtenMs: undefined };
}

/** Nothing where the file is gone, with its instance. */
function withFile<T>(path: string, flags: "r" | "r+", use: (file: number) => T): T | undefined {
  let file: number;
  try {
    file = openSync(path, flags);
  } catch (error) {
    if (systemCode(error) === "ENOENT") return undefined;
    throw error;
  }
  try {
    return use(file);
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
