/**
 * Every change of `files/` by a plugin: room is reserved, then the disk is changed, then the ledger. Changes of one file happen one
 * after the other; one whose signal aborts before its turn changes nothing. Made in daemon/compose-host.ts for the family fs.
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
import { makeFileQuota, type FileLimits, type Room } from "./quota.ts";

type Names = readonly string[];

export interface FileWriter {
  write(change: Change): Promise<void>;
  append(change: Change): Promise<void>;
  remove(names: Names, signal: AbortSignal): Promise<void>;
  mkdir(plugin: string, names: Names, withParents: boolean, signal: AbortSignal): Promise<void>;
  rename(from: Names, to: Names, signal: AbortSignal): Promise<void>;
}

export interface Change {
  readonly plugin: string;
  readonly names: Names;
  readonly bytes: Uint8Array;
  readonly signal: AbortSignal;
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

  const makeFolder = (plugin: string, names: Names, signal: AbortSignal): Promise<void> =>
    quota.making(plugin, textOf(names), { size: 0, fresh: 0 }, async () => {
      signal.throwIfAborted();
      await store.mkdir(names);
      return 0;
    });

  /** In turn with other changes of the same file. */
  async function change({ plugin, names, bytes, signal }: Change, room: Room, work: () => Promise<number>) {
    if (bytes.length > LIMITS.fileCallBytes)
      throw fail(
        "capability.limit",
        `at most ${formatBytes(LIMITS.fileCallBytes)} are written at a time, and these are ${formatBytes(bytes.length)}`,
        { hint: "append the rest" },
      );
    await lock.run(textOf(names), async () => {
      await makeArea();
      await quota.making(plugin, textOf(names), room, () => {
        signal.throwIfAborted();
        return work();
      });
    });
  }

  return {
    write: (wanted) =>
      change(wanted, { size: wanted.bytes.length, fresh: wanted.bytes.length }, async () => {
        const part = `${OWN_PREFIX}${randomUUID()}`;
        await store.write(wanted.names, wanted.bytes, { part, signal: wanted.signal });
        return wanted.bytes.length;
      }),
    append: (wanted) =>
      change(wanted, { size: "grows", fresh: wanted.bytes.length }, () =>
        store.append(wanted.names, wanted.bytes, wanted.signal),
      ),
    remove: (names, signal) =>
      quota.removing(textOf(names), () => {
        signal.throwIfAborted();
        return store.remove(names);
      }),
    async mkdir(plugin, names, withParents, signal) {
      await makeArea();
      if (!withParents) return makeFolder(plugin, names, signal);
      for (let length = 2; length <= names.length; length++)
        await unlessThere(() => makeFolder(plugin, names.slice(0, length), signal));
      if (store.stat(names).type !== "directory")
        throw fail("file.exists", `${quote(textOf(names))} exists already, and is no folder`);
    },
    async rename(from, to, signal) {
      await quota.moving(textOf(from), textOf(to), (levelsBelow) => {
        if (to.length + levelsBelow > LIMITS.fileDepth)
          throw fail(
            "capability.limit",
            `at most ${LIMITS.fileDepth} names are in a path, and what is in ${quote(textOf(from))} would have more`,
          );
        signal.throwIfAborted();
        return store.rename(from, to);
      });
    },
  };
}

// --- internal ---

interface FileWriterOptions {
  readonly store: FileStore;
  readonly rows: PluginFileRows;
  readonly limits: () => FileLimits;
  readonly clock: Clock;
}

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
