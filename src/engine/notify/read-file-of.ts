/**
 * Reads a file that a channel's configuration names. Bounded, and plain files only: a pipe would never end. No failure tells
 * the path, because a plugin may read it. Called by send-mail.ts.
 */
import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { fail, isVoxError, systemCode } from "../../base/errors.ts";

/** Throws `network.failed` with the details that an attempt's failure has: key and the system's code, no more. */
export async function readFileOf(key: string, path: string, maxBytes: number): Promise<string> {
  try {
    // Opening a pipe without this would wait for somebody who writes to it.
    await using file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const stat = await file.stat();
    if (!stat.isFile()) throw unreadable(key, "it is no plain file");
    if (stat.size > maxBytes) throw unreadable(key, `it has more than ${maxBytes} bytes`);
    if (stat.size === 0) throw unreadable(key, "it is empty");
    return await file.readFile("utf8");
  } catch (error) {
    throw isVoxError(error) ? error : unreadable(key, systemCode(error) ?? "it can't be read");
  }
}

// --- internal ---

function unreadable(key: string, why: string): Error {
  return fail("network.failed", `${key}: ${why}`, {
    details: { problem: `has a ${key} that can't be used (${why})`, lasting: true },
  });
}
