/**
 * Removes a folder with all that is in it, and nothing else: whoever may write there can't lead the removal out by putting a link in
 * a folder's place while it goes on. Called by host/drop-in/drop-ins.ts.
 */
import { existsSync } from "node:fs";
import { readdir, rmdir, unlink } from "node:fs/promises";
import { fail } from "../../base/errors.ts";
import { LIMITS } from "../../base/limits.ts";
import { quote } from "../../base/text.ts";
import { look, openFolder, walk, type Folder } from "./folder.ts";
import { fileProblem } from "./problem.ts";

/** `name` in the folder `root`; a link of that name is removed itself. Nothing there is fine. Throws `file.*`. */
export async function removeTree(root: string, name: string): Promise<void> {
  if (!existsSync(root)) return;
  using folder = openFolder(root);
  await removeEntry(folder, [name]);
}

// --- internal ---

/** `names`: the way from the beginning, for errors; the last of them is in `folder`. */
async function removeEntry(folder: Folder, names: readonly string[]): Promise<void> {
  const name = names.at(-1) ?? "";
  const found = look(folder, name);
  if (found === undefined) return;
  try {
    if (!found.isDirectory()) return await unlink(folder.at(name));
    if (names.length > LIMITS.uploadDepth)
      throw fail("file.failed", `${quote(names.join("/"))} is more than ${LIMITS.uploadDepth} folders down`);
    using inner = walk(folder.self, [name]);
    for (const entry of await readdir(inner.self)) await removeEntry(inner, [...names, entry]);
    await rmdir(folder.at(name));
  } catch (error) {
    throw fileProblem(error, names);
  }
}
