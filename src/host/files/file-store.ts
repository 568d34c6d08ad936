/**
 * What the family fs and its quotas need of the disk: files below the data directory, by names that were checked. Nothing that is
 * asked of it can lead out of there. Made in daemon/compose-host.ts from platform/beneath.
 */
import { fail } from "../../base/errors.ts";
import { LIMITS } from "../../base/limits.ts";
import {
  entriesOf,
  folderBeneath,
  namesBeneath,
  readBeneath,
  statBeneath,
  type Entry,
  type Found,
  type Range,
} from "../../platform/beneath/read.ts";
import { freeSpace, type Space } from "../../platform/beneath/space.ts";
import {
  appendBeneath,
  mkdirBeneath,
  removeBeneath,
  renameBeneath,
  writeBeneath,
} from "../../platform/beneath/write.ts";
import { isAreaName } from "./area-path.ts";

export type { Entry, Found, Range, Space };

type Names = readonly string[];

export interface FileStore {
  read(names: Names, range: Range, signal: AbortSignal): Promise<Uint8Array>;
  stat(names: Names): Found;
  list(names: Names, page: Page, signal: AbortSignal): Promise<Entry[]>;
  /** Entries in no order, the daemon's own among them: where there are more than `most`, some of those too. */
  scan(names: Names, most: number): Promise<Entry[]>;
  write(
    names: Names,
    bytes: Uint8Array,
    options: { readonly part: string; readonly signal: AbortSignal },
  ): Promise<void>;
  append(names: Names, bytes: Uint8Array, signal: AbortSignal): Promise<number>;
  remove(names: Names): Promise<void>;
  /** One that an earlier daemon did not finish; quiet where it can't be. */
  removePart(names: Names): Promise<void>;
  mkdir(names: Names): Promise<void>;
  rename(from: Names, to: Names): Promise<void>;
  /** Of the disk that holds this folder. */
  space(names: Names): Promise<Space>;
}

export interface Page {
  /** Only names behind this one. */
  readonly after: string | undefined;
  /** More than `most` are an error where nobody said how many are wanted. */
  readonly limit: number | undefined;
  readonly most: number;
}

export function makeFileStore(dataDir: string): FileStore {
  return {
    read: (names, range, signal) => readBeneath(dataDir, names, range, signal),
    stat: (names) => statBeneath(dataDir, names),
    async list(names, page, signal) {
      using folder = folderBeneath(dataDir, names);
      const all = await namesBeneath(folder, names, LIMITS.folderBytes);
      return entriesOf(folder, chosen(all, page), signal);
    },
    async scan(names, most) {
      using folder = folderBeneath(dataDir, names);
      const all = await namesBeneath(folder, names, LIMITS.folderBytes);
      return entriesOf(folder, all.slice(0, most + 1), undefined);
    },
    write: (names, bytes, options) => writeBeneath(dataDir, names, bytes, options),
    append: (names, bytes, signal) => appendBeneath(dataDir, names, bytes, signal),
    remove: (names) => removeBeneath(dataDir, names),
    removePart: (names) => removeBeneath(dataDir, names).catch(() => {}),
    mkdir: (names) => mkdirBeneath(dataDir, names),
    rename: (from, to) => renameBeneath(dataDir, from, to),
    space: (names) => freeSpace(dataDir, names),
  };
}

// --- internal ---

/** In order of their names, and only those that a plugin can say. */
function chosen(all: readonly string[], { after, limit, most }: Page): readonly string[] {
  const names = all.filter((name) => isAreaName(name) && (after === undefined || name > after)).toSorted();
  if (limit === undefined && names.length > most)
    throw fail(
      "capability.limit",
      `the folder has ${names.length} entries, at most ${most} are listed at a time`,
      {
        hint: "list it in parts, with {limit, after}",
      },
    );
  return names.slice(0, limit ?? most);
}
