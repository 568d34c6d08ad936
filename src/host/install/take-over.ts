/**
 * The next state of a plugin that is installed: files that `plugin dev` sent, or what is in the folder that it is linked to. Taken over
 * as long as it asks for nothing else than was consented to; a linked plugin that does is paused. Called by plugin-changes.ts, under the
 * plugin's lock.
 */
import { fail, isVoxError } from "../../base/errors.ts";
import { LIMITS } from "../../base/limits.ts";
import { printable } from "../../base/text.ts";
import { manifestFileOf } from "../manifest/manifest.ts";
import { reloadPlugin, type InstallDeps } from "./install.ts";
import { originOf, type PluginSource, type ReadSource } from "./plugin-source.ts";

export type NextState = Extract<PluginSource, { readonly files: unknown } | { readonly link: unknown }>;

/** False where that is what runs. Throws `consent.needed`, `plugin.changed` and what `read` and an install throw. */
export type TakeOver = (name: string, source: NextState, signal: AbortSignal) => Promise<boolean>;

export interface TakeOverDeps extends InstallDeps {
  readonly read: ReadSource;
  /** Told after anything about a plugin changed: what its deliveries wait for may have passed. */
  readonly changed: (plugin: string) => void;
}

export function makeTakeOver(deps: TakeOverDeps): TakeOver {
  const { roster, rows } = deps;

  async function pause(name: string, reason: string | null): Promise<void> {
    if (roster.get(name).row.paused === reason) return;
    rows.setPaused(name, reason);
    roster.refresh(name);
    await roster.alone(name, async () => {});
    deps.changed(name);
  }

  return async (name, source, signal) => {
    const link = "link" in source ? source.link : undefined;
    const current = link === undefined ? roster.get(name) : roster.find(name);
    // Something else took the folder's place while this waited for its turn.
    if (current === undefined || (link !== undefined && current.row.link !== link)) return false;
    const candidate = await deps.read(source);
    const called = candidate.manifest.name;
    if (called !== name)
      throw fail(
        "plugin.changed",
        `its ${manifestFileOf(candidate.manifest)} says that it is called ${called}, not ${name}`,
      );
    const origin = originOf(source, current.row, undefined);
    if (candidate.digest === current.row.digest && origin.link === current.row.link) {
      await pause(name, null);
      return false;
    }
    try {
      await reloadPlugin(deps, candidate, current, origin, signal);
    } catch (error) {
      if (link !== undefined && isVoxError(error) && error.code === "consent.needed")
        await pause(name, `${error.message}; to look at it and consent: ${consentCommand(link)}`);
      throw error;
    }
    deps.changed(name);
    return true;
  };
}

// --- internal ---

/** To be pasted into a shell. */
function consentCommand(folder: string): string {
  const path = printable(folder, LIMITS.uploadPathBytes);
  const word = /^[\w./@+-]+$/.test(path) ? path : `'${path.replaceAll("'", String.raw`'\''`)}'`;
  return `voxeltron plugin install --link ${word}`;
}
