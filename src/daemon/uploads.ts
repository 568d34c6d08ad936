/**
 * What clients sent and have not used yet: a plugin's files in memory, an app's folder on disk. Good for ten minutes and one
 * use; nothing survives a restart. The daemon opens no path that a client names. Filled through api/server.ts, emptied by
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
  drop(id: string): void;
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

type Upload = (
  | { readonly kind: "plugin"; readonly files: PackageFiles }
  | { readonly kind: "app"; readonly app: App }
) & {
  readonly forget: () => void;
};

export function makeUploads(dataDir: string, clock: Clock): Uploads {
  const folder = join(dataDir, "uploads");
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const waiting = new Map<string, Upload>();

  function find<K extends Upload["kind"]>(id: string, kind: K): Extract<Upload, { kind: K }> {
    const upload = waiting.get(id);
    if (upload?.kind !== kind)
      throw fail(
        "upload.not_found",
        "the upload is not there, was used already or is older than ten minutes",
        {
          hint: "send the folder again",
        },
      );
    return upload as Extract<Upload, { kind: K }>;
  }

  function keep(id: string, upload: DistributiveOmit<Upload, "forget">): void {
    const forget = clock.after(LIMITS.uploadTtlMs, () => drop(id));
    waiting.set(id, { ...upload, forget } as Upload);
  }

  function drop(id: string): void {
    const upload = waiting.get(id);
    if (upload === undefined) return;
    waiting.delete(id);
    upload.forget();
    if (upload.kind === "app") rmSync(upload.app.directory, { recursive: true, force: true });
  }

  return {
    async receive(kind, stream) {
      const id = newId();
      if (kind === "plugin") {
        const files = await readTar(stream, { bytes: LIMITS.pluginUploadBytes, files: LIMITS.uploadFiles });
        keep(id, { kind, files });
        return {
          upload: id,
          files: files.size,
          bytes: [...files.values()].reduce((sum, file) => sum + file.bytes.byteLength, 0),
        };
      }
      const directory = join(folder, id);
      const { files, bytes, digest } = await unpackTar(stream, directory, {
        bytes: LIMITS.appUploadBytes,
        files: LIMITS.uploadFiles,
      });
      keep(id, { kind, app: { directory, digest } });
      return { upload: id, files, bytes };
    },
    plugin: (id) => find(id, "plugin").files,
    takeApp(id) {
      const { app, forget } = find(id, "app");
      forget();
      waiting.delete(id);
      return app;
    },
    drop,
    close() {
      for (const id of waiting.keys()) drop(id);
    },
  };
}

// --- internal ---

type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;
