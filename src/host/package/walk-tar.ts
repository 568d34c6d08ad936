/**
 * Reads a tar stream that a stranger made, entry by entry, within bounds. Only files, folders and (where the caller wants
 * them) symbolic links pass; each refusal is an `upload.invalid` or `upload.too_large` that names the entry. An archive
 * that ends early is refused, also where it ends between two entries. Called by read-tar.ts and unpack-tar.ts.
 */
import { extract, type Header as TarHeader } from "tar-stream";
import { fail, isVoxError, messageOf } from "../../base/errors.ts";
import { formatBytes, quote } from "../../base/text.ts";
import { archivePath, makePathSet } from "./archive-path.ts";

export interface TarLimits {
  /** Of all contents together. */
  readonly bytes: number;
  readonly files: number;
}

export interface TarEntry {
  readonly path: string;
  readonly type: "file" | "folder" | "link";
  readonly executable: boolean;
  readonly size: number;
  /** What a link points at, as written. */
  readonly target: string;
  /** A file's bytes, to be read to the end. */
  readonly content: AsyncIterable<Uint8Array>;
}

/** Calls `visit` for each entry in turn. Throws `upload.invalid`, `upload.too_large`, and what `visit` throws. */
export async function walkTar(
  stream: ReadableStream<Uint8Array>,
  limits: TarLimits,
  visit: (entry: TarEntry) => Promise<void>,
): Promise<void> {
  const tar = extract();
  const tail = makeTail();
  const feeding = feed(stream, tar, tail, limits);
  const paths = makePathSet();
  let files = 0;
  let bytes = 0;
  try {
    for await (const raw of tar) {
      const entry = checkEntry(raw.header);
      if (entry.path !== "") {
        files += 1;
        bytes += entry.size;
        checkTotals(files, bytes, limits);
        paths.add(entry.path, entry.type === "folder" ? "folder" : "file");
        tail.entry();
        await visit({ ...entry, content: tail.content(raw as AsyncIterable<Uint8Array>) });
      }
      raw.resume();
    }
    await feeding;
    tail.check();
  } catch (error) {
    tar.destroy();
    await feeding.catch(() => {});
    throw isVoxError(error) || !isTarError(error) ? error : broken(error);
  }
}

// --- internal ---

type Header = Omit<TarEntry, "content">;

const PASSING: Readonly<Record<string, TarEntry["type"]>> = {
  file: "file",
  directory: "folder",
  symlink: "link",
};

const REFUSED: Readonly<Record<string, string>> = {
  link: "is a hard link",
  "character-device": "is a device",
  "block-device": "is a device",
  fifo: "is a named pipe",
};

/** What headers may add to the contents: each entry has one or two blocks, a long name a few more. */
const OVERHEAD_BYTES = 4096;

function checkEntry(header: TarHeader): Header {
  const path = archivePath(header.name);
  const type = PASSING[header.type];
  if (type === undefined)
    throw fail("upload.invalid", `${quote(header.name)} ${REFUSED[header.type] ?? "is of an unknown kind"}`, {
      hint: "only files and folders can be sent",
    });
  if (path === "" && type !== "folder") throw fail("upload.invalid", "an entry of the archive has no name");
  return {
    path,
    type,
    executable: (header.mode & 0o100) !== 0,
    size: type === "file" ? header.size : 0,
    target: header.linkname ?? "",
  };
}

function checkTotals(files: number, bytes: number, limits: TarLimits): void {
  if (files > limits.files)
    throw fail(
      "upload.too_large",
      `the folder has more than ${limits.files} files, that is the most it may have`,
    );
  if (bytes > limits.bytes)
    throw fail(
      "upload.too_large",
      `the folder has more than ${formatBytes(limits.bytes)}, that is the most it may have`,
    );
}

/** Passes the stream on with back-pressure; a stream that fails ends the archive with its error. */
async function feed(
  stream: ReadableStream<Uint8Array>,
  tar: ReturnType<typeof extract>,
  tail: Tail,
  limits: TarLimits,
): Promise<void> {
  const most = limits.bytes + limits.files * OVERHEAD_BYTES;
  let total = 0;
  try {
    for await (const chunk of stream) {
      if (tar.destroyed) return;
      total += chunk.byteLength;
      if (total > most) throw fail("upload.too_large", `the archive has more than ${formatBytes(most)}`);
      tail.archive(chunk);
      if (!tar.write(chunk)) await drained(tar);
    }
    tar.end(null);
  } catch (error) {
    tar.destroy(isVoxError(error) ? error : broken(error));
  }
}

function drained(tar: ReturnType<typeof extract>): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      tar.off("drain", done);
      tar.off("close", done);
      resolve();
    };
    tar.on("drain", done);
    tar.on("close", done);
  });
}

interface Tail {
  archive(chunk: Uint8Array): void;
  entry(): void;
  content(source: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array>;
  check(): void;
}

/**
 * The reader below takes any end between two entries for the end. A whole archive ends with two blocks of zeros beyond the
 * last content and its padding; how many zeros that content itself ends with must be known to tell them apart.
 */
function makeTail(): Tail {
  const archive = makeZeroRun();
  let last = makeZeroRun();
  return {
    archive: (chunk) => archive.add(chunk),
    entry() {
      last = makeZeroRun();
    },
    async *content(source) {
      const run = last;
      for await (const chunk of source) {
        run.add(chunk);
        yield chunk;
      }
    },
    check() {
      const padding = (512 - (last.total() % 512)) % 512;
      if (archive.length() < 1024 + padding + last.length()) throw broken(new Error("its end is missing"));
    },
  };
}

/** How many zero bytes a stream ends with. */
function makeZeroRun() {
  let zeros = 0;
  let total = 0;
  return {
    add(chunk: Uint8Array): void {
      const lastOther = chunk.findLastIndex((byte) => byte !== 0);
      zeros = lastOther === -1 ? zeros + chunk.byteLength : chunk.byteLength - 1 - lastOther;
      total += chunk.byteLength;
    },
    length: () => zeros,
    total: () => total,
  };
}

/** What the reader and the stream throw are plain Errors without a system's code; the disk's have one. */
function isTarError(error: unknown): boolean {
  return error instanceof Error && !("syscall" in error);
}

function broken(error: unknown): Error {
  return fail("upload.invalid", `the archive is broken or cut short: ${messageOf(error)}`, { cause: error });
}
