/**
 * Reads a small file of a folder that a stranger filled: no link, no pipe, no device, and never more than is wanted. Called by
 * list-folder.ts and engine/providers/docker/build-context.ts.
 */
import { closeSync, constants, fstatSync, openSync, readFileSync } from "node:fs";

/** Undefined where it is no file, too large or can't be read. Never waits, as a pipe in its place would have it. */
export function readPlainFile(path: string, bytesMax: number): string | undefined {
  let descriptor: number;
  try {
    descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW);
  } catch {
    return undefined;
  }
  try {
    const stats = fstatSync(descriptor);
    return stats.isFile() && stats.size <= bytesMax ? readFileSync(descriptor, "utf8") : undefined;
  } finally {
    closeSync(descriptor);
  }
}
