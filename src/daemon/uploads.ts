/**
 * What clients sent and have not used yet: a plugin's files in memory, an app's folder on disk. Good for ten minutes and one
 * use; nothing survives a restart. The daemon opens no path that a client names (but for host/link). Filled through api/server.ts, emptied by
 * the operations that name an upload.
 */
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Clock } from "../base/clock.ts";
import { fail } from "../base/errors.ts";
import { newId } from "../base/ids.ts";
import { LIMITS } from "../base/limits.ts";
import type { PackageFiles } from "../host/package/package-files.ts";
import { readTar } from "../host/package/read-tar.ts";
import { unpackTar } from "../host/package/unpack-tar.ts";

export interface Uploads {
  receive(kind: "plugin" | "app", stream: ReadableStream<Uint8Array>): Promise<Received>;
  /** The files of a plugin; they stay until the upload is dropped, so that what was shown can be installed. */
  plugin(id: string): PackageFiles;
  /** The folder of an app: from now on the caller's to move or remove. */
  takeApp(id: string): App;
  dropPlugin(id: string): void;
  close(): void;
}

export interface Received {
  readonly upload: string;
  readonly files: number;
  readonly bytes: number;
}

export interface App {
  readonly directory: string;
  readonly digest: string;
}

export function makeUploads(dataDir: string, clock: Clock): Uploads {
  const folder = join(dataDir, "uploads");
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const plugins = makeShelf<PackageFiles>(clock, () => {});
  const apps = makeShelf<App>(clock, ({ directory }) => rmSync(directory, { recursive: true, force: true }));

  return {
    async receive(kind, stream) {
      const upload = newId();
      if (kind === "plugin") {
        const files = await readTar(stream, { bytes: LIMITS.pluginUploadBytes, files: LIMITS.uploadFiles });
        plugins.put(upload, files);
        return {
          upload,
          files: files.size,
          bytes: [...files.values()].reduce((sum, file) => sum + file.bytes.byteLength, 0),
        };
      }
      const directory = join(folder, upload);
      const { files, bytes, digest } = await unpackTar(stream, directory, {
        bytes: LIMITS.appUploadBytes,
        files: LIMITS.uploadFiles,
      });
      apps.put(upload, { directory, digest });
      return { upload, files, bytes };
    },
    plugin: (id) => plugins.get(id),
    takeApp: (id) => apps.take(id),
    dropPlugin: (id) => plugins.drop(id),
    close() {
      plugins.clear();
      apps.clear();
    },
  };
}

// --- internal ---

interface Shelf<T> {
  put(id: string, item: T): void;
  /** Throws `upload.not_found`. */
  get(id: string): T;
  /** The same, and the item is the caller's from now on. */
  take(id: string): T;
  drop(id: string): void;
  clear(): void;
}

/** Keeps each item until it is taken or its time is up; then `discard` gets it. */
function makeShelf<T>(clock: Clock, discard: (item: T) => void): Shelf<T> {
  const kept = new Map<string, { readonly item: T; readonly cancel: () => void }>();

  function remove(id: string): T | undefined {
    const entry = kept.get(id);
    entry?.cancel();
    kept.delete(id);
    return entry?.item;
  }

  function drop(id: string): void {
    const item = remove(id);
    if (item !== undefined) discard(item);
  }

  return {
    put: (id, item) => void kept.set(id, { item, cancel: clock.after(LIMITS.uploadTtlMs, () => drop(id)) }),
    get: (id) => kept.get(id)?.item ?? notFound(),
    take: (id) => remove(id) ?? notFound(),
    drop,
    clear() {
      for (const id of kept.keys()) drop(id);
    },
  };
}

function notFound(): never {
  throw fail("upload.not_found", "the upload is not there, was used already or is older than ten minutes", {
    hint: "send the folder again",
  });
}
