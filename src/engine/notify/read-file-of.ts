/**
 * Reads a file that a channel's configuration names. No failure tells the path, because a plugin may read it. Called by send-mail.ts
 * and open-channel.ts.
 */
import { fail } from "../../base/errors.ts";
import { readPlainFile } from "../../platform/plain-file.ts";

/** Throws `network.failed` with the details that an attempt's failure has: key and the system's code, no more. */
export function readFileOf(key: string, path: string, maxBytes: number): string {
  const file = readPlainFile(path, maxBytes);
  if ("problem" in file) throw unusable(key, file.problem);
  return file.text;
}

/** The same, of a file that holds one secret text: without the line end that editors and `echo` leave behind. */
export function readSecretOf(key: string, path: string, maxBytes: number): string {
  const text = readFileOf(key, path, maxBytes).replace(/\r?\n$/, "");
  if (text === "") throw unusable(key, "it is empty");
  return text;
}

export function unusable(key: string, why: string): Error {
  return fail("network.failed", `${key}: ${why}`, {
    details: { problem: `has a ${key} that can't be used (${why})`, lasting: true },
  });
}
