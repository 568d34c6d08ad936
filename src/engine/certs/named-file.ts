/** Reads a file that a key of `[tls]` names, or says why it can't be used. Called by own-files.ts and acme/authority.ts. */
import { fail, unreadableBecause } from "../../base/errors.ts";
import { LIMITS } from "../../base/limits.ts";
import { readPlainFile } from "../../platform/plain-file.ts";

/** Throws `certificate.unusable`. */
export function readNamedFile(key: string, path: string): string {
  const file = readPlainFile(path, LIMITS.certFileBytes);
  if ("text" in file) return file.text;
  const why = file.cause === undefined ? file.problem : unreadableBecause(file.cause);
  throw fail("certificate.unusable", `${key} ${path}: ${why}`);
}
