/**
 * Seals everything under a new key. In this order, so that a daemon killed at any point leaves what can be read: the file gets the
 * new key with the old one behind it; all values are sealed anew in one transaction, which reaches the disk; the old key goes. What
 * was interrupted is finished at the next start, as is what an operator began by such a file. Called by the API and at boot.
 */
import { fail, messageOf } from "../../base/errors.ts";
import type { Log } from "../../base/log.ts";
import type { SecretBox } from "../secret-box.ts";
import { newKey } from "./key-file.ts";
import type { KeyRing } from "./key-ring.ts";

export interface KeyRotation {
  /** Throws `secret.key_fixed` and, before anything is changed, `secret.unreadable`. Gives how many values were sealed anew. */
  rotate(): number;
  /** At boot: tells what can't be opened, and ends a rotation that was begun. Never throws. */
  finish(): void;
}

/** A value in the state, wherever it is kept. */
export interface SealedValue {
  readonly purpose: string;
  readonly sealed: Uint8Array;
  replace(sealed: Uint8Array): void;
}

export interface KeyRotationParts {
  readonly ring: KeyRing;
  readonly box: SecretBox;
  readonly values: () => readonly SealedValue[];
  readonly transaction: (work: () => void) => void;
  /** What was committed survives a power cut from then on. */
  readonly flush: () => void;
  readonly log: Log;
}

export function makeKeyRotation({
  ring,
  box,
  values,
  transaction,
  flush,
  log,
}: KeyRotationParts): KeyRotation {
  function sealAnew(): number {
    const all = values();
    transaction(() => {
      for (const value of all) value.replace(box.seal(box.open(value.sealed, value.purpose), value.purpose));
    });
    flush();
    return all.length;
  }

  function unreadable(): readonly string[] {
    return values().flatMap(({ purpose, sealed }) => {
      try {
        box.open(sealed, purpose);
        return [];
      } catch {
        return [purpose];
      }
    });
  }

  function finish(): void {
    const keys = ring.keys();
    const lost = unreadable();
    if (lost.length > 0) {
      log.error("secrets can't be opened with the key that is there", { keyFile: ring.file, secrets: lost });
      return;
    }
    if (keys.length === 1) return;
    sealAnew();
    try {
      ring.replace(keys.slice(0, 1));
      log.info("all secrets are sealed under the new key", { keyFile: ring.file });
    } catch (error) {
      log.info("all secrets are sealed under the first key of the file: take the others out of it", {
        keyFile: ring.file,
        reason: messageOf(error),
      });
    }
  }

  return {
    rotate() {
      const [lost] = unreadable();
      if (lost !== undefined)
        throw fail("secret.unreadable", `the secret ${lost} can't be opened with the key in ${ring.file}`, {
          hint: "set it again, or remove it, then rotate the key",
        });
      const [first, ...older] = ring.keys();
      // One that failed half-way is gone on with: a file to which each attempt adds a key can't be read in the end.
      const key = older.length === 0 ? newKey() : first!;
      if (key !== first) ring.replace([key, first!]);
      const count = sealAnew();
      ring.replace([key]);
      return count;
    },
    finish() {
      try {
        finish();
      } catch (error) {
        log.error("secrets can't be opened", { keyFile: ring.file, error: messageOf(error) });
      }
    },
  };
}
