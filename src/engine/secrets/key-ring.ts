/**
 * The keys that seal secrets, read when they are first needed. A key is made only where nothing is sealed yet: a new key in
 * the place of a lost one would hide that it is lost. Made by daemon/compose-secrets.ts; used by secret-box.ts and rotate-key.ts.
 */
import { fail, isVoxError, messageOf } from "../../base/errors.ts";
import { KEY_BYTES, newKey, readKeys, sweepDraft, writeKeys, type Key, type KeyPlace } from "./key-file.ts";

export interface KeyRing {
  /** Where they are, for messages. */
  readonly file: string;
  /** The first seals, all open. Throws `secret.key_missing`, `secret.key_invalid`, `secret.key_exposed`. */
  keys(): readonly Key[];
  /** Throws `secret.key_fixed`, with nothing changed, where the daemon can't write them. */
  replace(keys: readonly Key[]): void;
}

/** `isNeeded`: whether there is anything that a key would have to open. */
export function makeKeyRing(place: KeyPlace, isNeeded: () => boolean): KeyRing {
  let known: readonly Key[] | undefined;

  function firstKeys(): readonly Key[] {
    if (isNeeded() || place.kind === "credential") throw missing(place);
    const keys = [newKey()];
    try {
      writeKeys(place, keys, true);
    } catch (error) {
      if (isVoxError(error)) throw error;
      throw fail(
        "secret.key_missing",
        `there is no key file ${place.file}, and none can be made: ${messageOf(error)}`,
        {
          hint: `make one: (umask 077; head -c ${KEY_BYTES} /dev/urandom > ${place.file})`,
          cause: error,
        },
      );
    }
    return keys;
  }

  return {
    file: place.file,
    keys() {
      if (known === undefined) {
        const found = readKeys(place);
        sweepDraft(place);
        known = found ?? firstKeys();
      }
      return known;
    },
    replace(keys) {
      if (place.kind === "credential") throw fixed(place, "the service manager hands it in");
      try {
        writeKeys(place, keys);
      } catch (error) {
        if (isVoxError(error)) throw error;
        throw fixed(place, messageOf(error));
      }
      known = keys;
    },
  };
}

// --- internal ---

function missing({ file }: KeyPlace): Error {
  return fail("secret.key_missing", `there is no key file ${file}, and there are secrets that it sealed`, {
    hint: "put the file back; if it is lost, remove what it sealed (secret unset, registry logout), then set it again",
  });
}

function fixed({ file, kind }: KeyPlace, why: string): Error {
  const restart = kind === "credential" ? "make it the credential" : "put it in its place";
  return fail("secret.key_fixed", `the daemon can't write the key file ${file}: ${why}`, {
    hint: `write a new key with the old one behind it: (umask 077; head -c ${KEY_BYTES} /dev/urandom; cat ${file}) > new.key; ${restart} and restart the daemon, which seals everything anew and says when the old key can go`,
  });
}
