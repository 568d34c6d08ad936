/**
 * Seals short secrets for the database with AES-256-GCM under a key that lies in a file of its own: who has the one has not the
 * other. What a secret is for is bound to it, so a sealed value can't be moved to another place. Called by registries.ts.
 */
import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import {
  linkSync,
  openSync,
  readFileSync,
  statSync,
  unlinkSync,
  writeSync,
  closeSync,
  fsyncSync,
} from "node:fs";
import { fail, isVoxError, messageOf, systemCode } from "../base/errors.ts";

export interface SecretBox {
  /** `purpose` names what the secret is for, such as `registry:ghcr.io`; `open` must be told the same. */
  seal(secret: string, purpose: string): Uint8Array;
  /** Throws `secret.unreadable` where the key, the purpose or the bytes are not those of `seal`. */
  open(sealed: Uint8Array, purpose: string): string;
}

/** Reads the key, or makes it where there is none. Throws `secret.unreadable` for a file that is not a private key. */
export function openSecretBox(keyFile: string): SecretBox {
  const key = readKey(keyFile) ?? createKey(keyFile);
  return {
    seal(secret, purpose) {
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv("aes-256-gcm", key, nonce).setAAD(Buffer.from(purpose));
      const body = Buffer.concat([cipher.update(secret, "utf8"), cipher.final()]);
      return Buffer.concat([nonce, cipher.getAuthTag(), body]);
    },
    open(sealed, purpose) {
      try {
        const nonce = sealed.subarray(0, NONCE_BYTES);
        const decipher = createDecipheriv("aes-256-gcm", key, nonce, { authTagLength: TAG_BYTES })
          .setAAD(Buffer.from(purpose))
          .setAuthTag(sealed.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES));
        const body = sealed.subarray(NONCE_BYTES + TAG_BYTES);
        return Buffer.concat([decipher.update(body), decipher.final()]).toString("utf8");
      } catch (error) {
        throw fail("secret.unreadable", `the secret ${purpose} can't be opened with the key in ${keyFile}`, {
          hint: "put the key file back that it was made with, or store the secret again",
          cause: error,
        });
      }
    },
  };
}

// --- internal ---

const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

function readKey(file: string): Buffer | undefined {
  try {
    const mode = statSync(file).mode & 0o777;
    if ((mode & 0o077) !== 0)
      throw fail(
        "secret.unreadable",
        `the key file ${file} has mode ${mode.toString(8)} and others may read it`,
        {
          hint: `take the right away with: chmod 600 ${file}`,
        },
      );
    const key = readFileSync(file);
    if (key.length === KEY_BYTES) return key;
    throw fail("secret.unreadable", `the key file ${file} has ${key.length} bytes instead of ${KEY_BYTES}`);
  } catch (error) {
    if (systemCode(error) === "ENOENT") return undefined;
    if (isVoxError(error)) throw error;
    throw fail("secret.unreadable", `the key file ${file} can't be read: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

/** Whole or not at all: written beside its place, then linked there, which fails where another came first. */
function createKey(file: string): Buffer {
  const key = randomBytes(KEY_BYTES);
  const draft = `${file}.${randomBytes(6).toString("hex")}`;
  const descriptor = openSync(draft, "wx", 0o600);
  try {
    writeSync(descriptor, key);
    fsyncSync(descriptor);
    linkSync(draft, file);
    return key;
  } catch (error) {
    const theirs = systemCode(error) === "EEXIST" ? readKey(file) : undefined;
    if (theirs !== undefined) return theirs;
    throw error;
  } finally {
    closeSync(descriptor);
    unlinkSync(draft);
  }
}
