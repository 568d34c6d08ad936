/**
 * A path as a plugin says it, taken apart: `files/…` or `backups/…` in the data directory, and nothing else there is. Pure: it
 * looks at no disk. What is odd is refused and never mended, so that one place has one spelling. Called by capabilities/fs.ts.
 */
import { fail, type VoxError } from "../../base/errors.ts";
import { LIMITS } from "../../base/limits.ts";
import { quote } from "../../base/text.ts";

export const FILES = "files";
export const BACKUPS = "backups";

/** Names that begin so are the daemon's own: files that are being written. */
export const OWN_PREFIX = ".voxeltron-";

/** The names on the way, the area first. Throws `capability.out_of_scope`, `capability.invalid_params`. */
export function parseAreaPath(path: string): readonly string[] {
  if (path.startsWith("/")) throw outside(path);
  if (Buffer.byteLength(path) > LIMITS.filePathBytes)
    throw odd(path, `a path of at most ${LIMITS.filePathBytes} bytes`);
  const names = path.split("/");
  if (names.includes("..")) throw outside(path);
  if (names[0] !== FILES && names[0] !== BACKUPS) throw outside(path);
  if (names.length > LIMITS.fileDepth) throw odd(path, `at most ${LIMITS.fileDepth} names in a path`);
  for (const name of names) {
    const problem = nameProblem(name);
    if (problem !== undefined) throw odd(path, problem);
  }
  return names;
}

/** Whether plugins can say this name at all: others that stand on the disk are not shown to them. */
export function isAreaName(name: string): boolean {
  return name !== ".." && nameProblem(name) === undefined;
}

// --- internal ---

/** What is wanted in place of such a name. */
function nameProblem(name: string): string | undefined {
  if (name === "" || name === ".") return 'names between single slashes, such as "files/reports/today.txt"';
  if (Buffer.byteLength(name) > LIMITS.fileNameBytes) return `names of at most ${LIMITS.fileNameBytes} bytes`;
  if (/[\p{Cc}\u2028\u2029\\]/u.test(name) || !name.isWellFormed() || name.includes("\ufffd"))
    return "names without control characters, backslashes and broken characters";
  if (name.startsWith(OWN_PREFIX)) return `names that don't begin with ${OWN_PREFIX}`;
  return undefined;
}

function outside(path: string): VoxError {
  return fail(
    "capability.out_of_scope",
    `${quote(path)} is outside of what plugins have: files/… and, to read, backups/…, relative to the data directory and without ..`,
  );
}

function odd(path: string, wanted: string): VoxError {
  return fail("capability.invalid_params", `the path ${quote(path)}: wanted ${wanted}`);
}
