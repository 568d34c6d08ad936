/**
 * Where the unpacked uploads of `deploy --path` live as long as a version of their service is kept: `<root>/<service>/<deploy>`.
 * Called by engine/deploys and engine/services.
 */
import { lstatSync } from "node:fs";
import { mkdir, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";

export interface AppFolders {
  /** Where the folder of this deploy will be. Touches nothing. */
  pathFor(service: string, deploy: string): string;
  /** Whether the folder has such a file, and it is no link. */
  has(folder: string, path: string): boolean;
  /** Moves an upload to `path`. Both are on one file system, so it is there or it is not. */
  adopt(upload: string, path: string): Promise<void>;
  /** Removes one folder, such as an upload that nobody deployed. Not there: fine. */
  discard(path: string): Promise<void>;
  /** Removes all folders of the service but these. */
  prune(service: string, keep: ReadonlySet<string>): Promise<void>;
}

export function makeAppFolders(root: string): AppFolders {
  const discard = (path: string): Promise<void> => rm(path, { recursive: true, force: true });
  return {
    pathFor: (service, deploy) => join(root, service, deploy),
    has: (folder, path) => lstatSync(join(folder, path), { throwIfNoEntry: false })?.isFile() === true,
    async adopt(upload, path) {
      await mkdir(join(path, ".."), { recursive: true, mode: 0o700 });
      await rename(upload, path);
    },
    discard,
    async prune(service, keep) {
      const folder = join(root, service);
      const names = await readdir(folder).catch(() => []);
      const unwanted = names.map((name) => join(folder, name)).filter((path) => !keep.has(path));
      await Promise.all(unwanted.map(discard));
      if (unwanted.length === names.length) await discard(folder);
    },
  };
}
