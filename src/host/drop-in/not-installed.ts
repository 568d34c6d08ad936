/**
 * What is said of a name that no installed plugin has: it may be a drop-in that waits for consent, or be built in. Called by plugins.ts.
 */
import { isBuiltIn } from "../../base/built-ins.ts";
import { fail, isVoxError, type VoxError } from "../../base/errors.ts";
import { quotePath } from "../../base/text.ts";
import type { PluginDetails, PluginView } from "../plugin-views.ts";
import type { DropIns } from "./drop-ins.ts";
import type { SearchedFolder } from "./find-drop-ins.ts";
import { builtInDetails, dropInDetails, summaryOf } from "./uninstalled-views.ts";

export interface NotInstalled {
  /** Of one name, what counts comes first. */
  all(): Promise<{ readonly views: readonly PluginView[]; readonly folders: readonly SearchedFolder[] }>;
  find(name: string): Promise<PluginDetails | undefined>;
  /** Runs work that needs an installed plugin, and says better why there is none. Throws `plugin.not_approved`, `plugin.built_in`. */
  explain<T>(name: string, work: () => Promise<T>): Promise<T>;
}

export function makeNotInstalled(dropIns: Pick<DropIns, "survey" | "find">): NotInstalled {
  async function find(name: string): Promise<PluginDetails | undefined> {
    const builtIn = builtInDetails().find((each) => each.name === name);
    if (builtIn !== undefined) return builtIn;
    const ranked = await dropIns.find(name);
    return ranked === undefined ? undefined : dropInDetails(ranked);
  }

  async function reason(name: string): Promise<VoxError | undefined> {
    if (isBuiltIn(name)) return builtInError(name);
    const ranked = await dropIns.find(name);
    return ranked === undefined ? undefined : notApproved(name, ranked.dropIn.folder);
  }

  return {
    find,
    async all() {
      const { others, folders } = await dropIns.survey();
      const details = [...others.map(dropInDetails), ...builtInDetails()];
      return { views: details.map(summaryOf), folders };
    },
    async explain(name, work) {
      try {
        return await work();
      } catch (error) {
        if (!isVoxError(error) || error.code !== "plugin.not_found") throw error;
        throw (await reason(name)) ?? error;
      }
    },
  };
}

// --- internal ---

function builtInError(name: string): VoxError {
  return fail("plugin.built_in", `${name} is built in: it is always there, and can't be changed or removed`);
}

function notApproved(name: string, folder: string): VoxError {
  return fail("plugin.not_approved", `nobody has consented to ${name}, which lies in ${quotePath(folder)}`, {
    hint: `to look at what it asks for and consent: voxeltron plugin enable ${name}`,
  });
}
