/**
 * Reads a file that a channel's configuration names. Bounded, and plain files only: a pipe would never end. No failure tells
 * the path, because a plugin may read it. Called by send-mail.ts and open-channel.ts.
 */
import { closeSync, constants, fstatSync, openSync, readFileSync } from "node:fs";
import { fail, isVoxError, systemCode } from "../../base/errors.ts";

/** Throws `network.failed` with the details that an attempt's failure has: key and the system's code, no more. */
export function readFileOf(key: string, path: string, maxBytes: number): string {
  try {
    // Opening a pipe without this would wait for somebody who writes to it.
    const descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const stat = fstatSync(descriptor);
      if (!stat.isFile()) throw unusable(key, "it is no plain file");
      if (stat.size > maxBytes) throw unusable(key, `it has more than ${maxBytes} bytes`);
      if (stat.size === 0) throw unusable(key, "it is empty");
      return readFileSync(descriptor, "utf8");
    } finally {
      closeSync(descriptor);
    }
  } catch (error) {
    throw isVoxError(error) ? error : unusable(key, systemCode(error) ?? "it can't be read");
  }
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
