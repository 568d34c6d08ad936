/**
 * The file of the keys that seal secrets: 32 bytes each; the first seals, all of them open. It has more than one only while
 * everything is sealed anew. Written whole or not at all. Called by key-ring.ts.
 */
import { randomBytes } from "node:crypto";
import {
  closeSync,
  fchmodSync,
  fstatSync,
  fsyncSync,
  linkSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  writeSync,
} from "node:fs";
import { dirname } from "node:path";
import { diskFull } from "../../base/disk-full.ts";
import { fail, isVoxError, messageOf, systemCode } from "../../base/errors.ts";

export interface KeyPlace {
  readonly file: string;
  /** A credential is what the service manager hands in: nobody writes to it. */
  readonly kind: "file" | "credential";
}

export type Key = Buffer;

export const KEY_BYTES = 32;

export function newKey(): Key {
  return randomBytes(KEY_BYTES);
}

/** Undefined where there is no file. Throws `secret.key_invalid` for what is none, `secret.key_exposed` for what others can read. */
export function readKeys(place: KeyPlace): readonly Key[] | undefined {
  const { file } = place;
  try {
    const descriptor = openSync(file, "r");
    try {
      checkOwner(descriptor, place);
      return split(readFileSync(descriptor), file);
    } finally {
      closeSync(descriptor);
    }
  } catch (error) {
    if (systemCode(error) === "ENOENT") return undefined;
    if (isVoxError(error)) throw error;
    throw fail("secret.key_invalid", `the key file ${file} can't be read: ${messageOf(error)}`, {
      hint: "it must be a file that the daemon's user, and nobody else, may read",
      cause: error,
    });
  }
}

/** The old keys or the new ones, also after a power cut. `isFirst`: only where there are none. Throws what the system says. */
export function writeKeys(place: KeyPlace, keys: readonly Key[], isFirst = false): void {
  const file = realPath(place.file);
  const draft = draftOf(file);
  rmSync(draft, { force: true });
  const descriptor = openSync(draft, "wx", 0o600);
  try {
    fchmodSync(descriptor, 0o600);
    writeSync(descriptor, Buffer.concat(keys));
    fsyncSync(descriptor);
    if (isFirst) linkSync(draft, file);
    else renameSync(draft, file);
    syncFolder(dirname(file));
  } catch (error) {
    throw diskFull(error);
  } finally {
    closeSync(descriptor);
    rmSync(draft, { force: true });
  }
}

/** What a daemon left behind that was killed while it wrote. It holds keys. */
export function sweepDraft({ file, kind }: KeyPlace): void {
  if (kind === "file") rmSync(draftOf(realPath(file)), { force: true });
}

// --- internal ---

/** While there is a change, the new keys and the old ones. */
const KEYS_MAX = 4;

function checkOwner(descriptor: number, { file, kind }: KeyPlace): void {
  const { mode, uid } = fstatSync(descriptor);
  const open = mode & 0o777;
  // The service manager gives a credential to its user by an access list, whose mask looks like rights of the group.
  const others = kind === "credential" ? 0o007 : 0o077;
  if ((open & others) !== 0)
    throw fail(
      "secret.key_exposed",
      `the key file ${file} has mode ${open.toString(8)} and others may read it`,
      {
        hint: `take the right away with: chmod 600 ${file}`,
      },
    );
  if (uid !== 0 && uid !== process.getuid?.())
    throw fail("secret.key_exposed", `the key file ${file} belongs to user ${uid}, who may read it`, {
      hint: "give it to the daemon's user, or to root",
    });
}

function split(bytes: Buffer, file: string): readonly Key[] {
  const count = bytes.length / KEY_BYTES;
  if (!Number.isInteger(count) || count < 1 || count > KEYS_MAX)
    throw fail(
      "secret.key_invalid",
      `the key file ${file} has ${bytes.length} bytes instead of ${KEY_BYTES}`,
      {
        hint: `put the right file back; a new key is ${KEY_BYTES} random bytes: head -c ${KEY_BYTES} /dev/urandom`,
      },
    );
  return Array.from({ length: count }, (_, i) => bytes.subarray(i * KEY_BYTES, (i + 1) * KEY_BYTES));
}

function draftOf(file: string): string {
  return `${file}.new`;
}

/** What a link leads to is replaced, not the link. */
function realPath(file: string): string {
  try {
    return realpathSync(file);
  } catch {
    return file;
  }
}

function syncFolder(folder: string): void {
  const descriptor = openSync(folder, "r");
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
