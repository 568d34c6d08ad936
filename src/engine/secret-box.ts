/**
 * Seals short secrets for the database with AES-256-GCM under a key that lies in a file of its own: who has the one has not the
 * other. What a secret is for is bound to it, so a sealed value can't be moved to another place. Called by registries.ts and
 * engine/secrets.
 */
import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { fail } from "../base/errors.ts";
import type { Key } from "./secrets/key-file.ts";
import type { KeyRing } from "./secrets/key-ring.ts";

/** All throw `secret.key_*` where there is no key that could be used. */
export interface SecretBox {
  /** `purpose` names what the secret is for, such as `registry:ghcr.io`; `open` must be told the same. */
  seal(secret: string, purpose: string): Uint8Array;
  /** Throws `secret.unreadable` where the key, the purpose or the bytes are not those of `seal`. */
  open(sealed: Uint8Array, purpose: string): string;
}

export function makeSecretBox(ring: KeyRing): SecretBox {
  return {
    seal(secret, purpose) {
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv("aes-256-gcm", ring.keys()[0]!, nonce).setAAD(Buffer.from(purpose));
      const body = Buffer.concat([cipher.update(secret, "utf8"), cipher.final()]);
      return Buffer.concat([nonce, cipher.getAuthTag(), body]);
    },
    open(sealed, purpose) {
      let problem: unknown;
      for (const key of ring.keys()) {
        try {
          return decrypt(sealed, purpose, key);
        } catch (error) {
          problem = error;
        }
      }
      throw fail("secret.unreadable", `the secret ${purpose} can't be opened with the key in ${ring.file}`, {
        hint: "put the key file back that it was made with, or store the secret again",
        cause: problem,
      });
    },
  };
}

// --- internal ---

const NONCE_BYTES = 12;
const TAG_BYTES = 16;

function decrypt(sealed: Uint8Array, purpose: string, key: Key): string {
  const nonce = sealed.subarray(0, NONCE_BYTES);
  const decipher = createDecipheriv("aes-256-gcm", key, nonce, { authTagLength: TAG_BYTES })
    .setAAD(Buffer.from(purpose))
    .setAuthTag(sealed.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES));
  const body = sealed.subarray(NONCE_BYTES + TAG_BYTES);
  return Buffer.concat([decipher.update(body), decipher.final()]).toString("utf8");
}
