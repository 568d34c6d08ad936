/**
 * Every change of `files/` by a plugin: room is reserved, then the disk is changed, then the ledger. Changes of one file happen one
 * after the other. What a plugin may change is asked through `names`, each time anew, when its turn has come. Called by
 * capabilities/fs.ts.
 */
import { randomUUID } from "node:crypto";
import type { Clock } from "../../base/clock.ts";
import { fail, isVoxError } from "../../base/errors.ts";
import { LIMITS } from "../../base/limits.ts";
import { formatBytes, quote } from "../../base/text.ts";
import type { PluginFileRows } from "../../state/plugin-files.ts";
import { makeKeyedLock } from "../install/keyed-lock.ts";
import { FILES, OWN_PREFIX } from "./area-path.ts";
import type { FileStore } from "./file-store.ts";
import { makeFileQuota, type FileLimits } from "./quota.ts";

type Names = readonly string[];

export interface FileWriter {
  write(change: Change): Promise<void>;
  append(change: Change): Promise<void>;
  remove(names: () => Names): Promise<void>;
  mkdir(plugin: string, names: Names, withParents: boolean): Promise<void>;
  rename(paths: () => { readonly source: Names; readonly target: Names }): Promise<void>;
}

export interface Change {
  readonly plugin: string;
  /** Throws where the plugin may not, or may no more. */
  readonly names: () => Names;
  readonly bytes: Uint8Array;
  readonly signal: AbortSignal;
}

export interface FileWriterOptions {
  readonly store: FileStore;
  readonly rows: PluginFileRows;
  readonly limits: () => FileLimits;
  readonly clock: Clock;
}

export function makeFileWriter({ store, rows, limits, clock }: FileWriterOptions): FileWriter {
  const quota = makeFileQuota({ store, rows, limits, clock });
  const lock = makeKeyedLock();

  /** It is made with the first thing that is put into it. */
  async function makeArea(): Promise<void> {
    try {
      store.stat([FILES]);
    } catch (error) {
      if (!hasCode(error, "file.not_found")) throw error;
      await unlessThere(() => store.mkdir([FILES]));
    }
  }

  const makeFolder = (plugin: string, names: Names): Promise<void> =>
    quota.making(plugin, textOf(names), { size: 0, fresh: 0 }, async () => {
      await store.mkdir(names);
      return 0;
    });

  /** In turn with other changes of the same file. */
  function inTurn({ names, bytes }: Change, work: (names: Names) => Promise<void>): Promise<void> {
    if (bytes.length > LIMITS.fileCallBytes)
      throw fail(
        "capability.limit",
        `at most ${formatBytes(LIMITS.fileCallBytes)} are written at a time, and these are ${formatBytes(bytes.length)}`,
        { hint: "append the rest" },
      );
    const wanted = names();
    return lock.run(textOf(wanted), async () => {
      await makeArea();
      await work(wanted);
    });
  }

  return {
    write: async (change) =>
      inTurn(change, (names) => {
        const { plugin, bytes, signal } = change;
        return quota.making(plugin, textOf(names), { size: bytes.length, fresh: bytes.length }, async () => {
          await store.write(change.names(), bytes, { part: `${OWN_PREFIX}${randomUUID()}`, signal });
          return bytes.length;
        });
      }),
    append: async (change) =>
      inTurn(change, (names) => {
        const { plugin, bytes, signal } = change;
        return quota.making(plugin, textOf(names), { size: "grows", fresh: bytes.length }, () =>
          store.append(change.names(), bytes, signal),
        );
      }),
    remove: (names) => quota.removing(textOf(names()), () => store.remove(names())),
    async mkdir(plugin, names, withParents) {
      await makeArea();
      if (!withParents) return makeFolder(plugin, names);
      for (let length = 2; length <= names.length; length++)
        await unlessThere(() => makeFolder(plugin, names.slice(0, length)));
      if (store.stat(names).type !== "directory")
        throw fail("file.exists", `${quote(textOf(names))} exists already, and is no folder`);
    },
    async rename(paths) {
      const { source, target } = paths();
      await quota.moving(textOf(source), textOf(target), async (levelsBelow) => {
        if (target.length + levelsBelow > LIMITS.fileDepth)
          throw fail(
            "capability.limit",
            `at most ${LIMITS.fileDepth} names are in a path, and what is in ${quote(textOf(source))} would have more`,
          );
        paths();
        await store.rename(source, target);
      });
    },
  };
}

// --- internal ---

function textOf(names: Names): string {
  return names.join("/");
}

function hasCode(error: unknown, code: "file.not_found" | "file.exists"): boolean {
  return isVoxError(error) && error.code === code;
}

async function unlessThere(make: () => Promise<void>): Promise<void> {
  try {
    await make();
  } catch (error) {
    if (!hasCode(error, "file.exists")) throw error;
  }
}
