/**
 * The folders into which an operator drops plugins, as they are at this moment: looked at anew each time, so that what was copied there
 * shows at once. Nothing in them runs or is called before consent, which makes a copy of it (see install/). Made by plugins.ts.
 */
import { basename, dirname } from "node:path";
import { isBuiltIn } from "../../base/built-ins.ts";
import { fail, messageOf } from "../../base/errors.ts";
import { quote, quotePath } from "../../base/text.ts";
import { removeTree } from "../../platform/beneath/remove-tree.ts";
import type { PackageFiles } from "../package/package-files.ts";
import {
  dropInsNamed,
  findDropIns,
  rankDropIns,
  type InstalledFolder,
  type Ranked,
  type SearchedFolder,
} from "./find-drop-ins.ts";
import { readDropIn } from "./read-drop-in.ts";

export interface DropIns {
  /** Those that are not installed, in the order of the folders. */
  survey(): Promise<{ readonly others: readonly Ranked[]; readonly folders: readonly SearchedFolder[] }>;
  /** What counts under the name, and is not installed. */
  find(name: string): Promise<Ranked | undefined>;
  /** To be consented to. Throws `plugin.not_found`, `plugin.name_taken`, `plugin.folder_exposed` and why it can't be. */
  read(name: string): Promise<{ readonly folder: string; readonly files: PackageFiles }>;
  /** With all that is in it. Throws `plugin.folder_kept`. */
  remove(folder: string): Promise<void>;
}

export interface DropInsDeps {
  /** Absolute, in the order in which they count. */
  readonly dropInFolders: readonly string[];
  readonly installed: (name: string) => InstalledFolder;
}

export function makeDropIns({ dropInFolders, installed }: DropInsDeps): DropIns {
  async function find(name: string): Promise<Ranked | undefined> {
    const named = await dropInsNamed(dropInFolders, name);
    return rankDropIns(named, installed, isBuiltIn)[0];
  }

  /** The folder that it was taken from, else the first that there is now. */
  async function toRead(name: string): Promise<string> {
    const present = installed(name);
    const named = await dropInsNamed(dropInFolders, name);
    const meant = named.find(({ folder }) => folder === present?.dropIn) ?? named[0];
    if (meant === undefined)
      throw fail("plugin.not_found", `no folder called ${quote(name)} lies among the plugins`, {
        hint: `they are looked for in: ${dropInFolders.join(", ")}`,
      });
    if (present === undefined && isBuiltIn(name))
      throw fail("plugin.name_taken", `what is called ${name} is built in`, {
        hint: `give the folder ${quotePath(meant.folder)} and its plugin another name`,
      });
    if (present?.dropIn === null)
      throw fail("plugin.name_taken", `a plugin called ${name} is there already, and not from a folder`, {
        hint: `to have the one in ${quotePath(meant.folder)} instead, first: voxeltron plugin remove ${name}`,
      });
    if (meant.problem !== undefined) throw meant.problem;
    return meant.folder;
  }

  return {
    async survey() {
      const { dropIns, folders } = await findDropIns(dropInFolders);
      return { others: rankDropIns(dropIns, installed, isBuiltIn), folders };
    },
    find,
    async read(name) {
      const folder = await toRead(name);
      return { folder, files: await readDropIn(folder) };
    },
    async remove(folder) {
      try {
        await removeTree(dirname(folder), basename(folder));
      } catch (error) {
        throw fail(
          "plugin.folder_kept",
          `the folder ${quotePath(folder)} can't be removed: ${messageOf(error)}`,
          {
            details: { folder },
          },
        );
      }
    },
  };
}
