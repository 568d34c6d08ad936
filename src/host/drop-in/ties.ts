/**
 * What follows from a plugin's tie to the folder that it was dropped into: consent to what is in it now, no run after a change, and
 * an end of both together. Called by plugins.ts.
 */
import { isBuiltIn } from "../../base/built-ins.ts";
import { fail } from "../../base/errors.ts";
import { quotePath } from "../../base/text.ts";
import type { RemoveOptions } from "../install/plugin-changes.ts";
import type { InstalledPlugin } from "../installed/installed-plugin.ts";
import { changedDropIn, type Integrity } from "../installed/integrity.ts";
import type { Roster } from "../installed/roster.ts";
import type { ApprovedFolders } from "./approved-folders.ts";
import type { DropIns } from "./drop-ins.ts";

export interface Ties {
  /** Throws `consent.needed` for what lies in a folder and was not consented to as it is: that takes an install of it. */
  refuseUnseen(name: string): Promise<void>;
  /** For a room that is open: it runs code that was checked when it was opened. Throws `plugin.tampered`. */
  refuseChanged(plugin: InstalledPlugin): Promise<void>;
  /** The plugin and its folder, which is given; null where it has none. Throws `plugin.not_found`, `plugin.folder_kept`. */
  remove(name: string, options: RemoveOptions): Promise<string | null>;
}

export interface TiesDeps {
  readonly roster: Pick<Roster, "find" | "get">;
  readonly integrity: Pick<Integrity, "tamperedBecause">;
  readonly folders: ApprovedFolders;
  readonly dropIns: Pick<DropIns, "find" | "read" | "remove">;
  /** What is installed. */
  readonly remove: (name: string, options: RemoveOptions) => Promise<void>;
}

export function makeTies({ roster, integrity, folders, dropIns, remove }: TiesDeps): Ties {
  return {
    async refuseUnseen(name) {
      const row = roster.find(name)?.row;
      if (row === undefined) {
        if (isBuiltIn(name) || (await dropIns.find(name)) === undefined) return;
      } else if (row.dropIn === null || (await integrity.tamperedBecause(row)) === undefined) return;
      const { folder } = await dropIns.read(name);
      throw fail("consent.needed", `nobody has consented to what is in ${quotePath(folder)}`, {
        hint: `to look at what it asks for and consent: voxeltron plugin enable ${name}`,
        details: { plugin: name, folder },
      });
    },
    async refuseChanged({ row, supervisor }) {
      const changed = row.enabled ? await folders.changedBecause(row) : undefined;
      if (changed === undefined) return;
      supervisor.restart();
      throw changedDropIn(row.name, changed);
    },
    async remove(name, options) {
      const row = roster.find(name)?.row;
      if (row === undefined && isBuiltIn(name)) roster.get(name);
      const folder = row === undefined ? (await dropIns.find(name))?.dropIn.folder : row.dropIn;
      if (row !== undefined || folder === undefined) await remove(name, options);
      // Last: a crash before it leaves a drop-in to which nobody consented.
      if (typeof folder === "string") await dropIns.remove(folder);
      return folder ?? null;
    },
  };
}
