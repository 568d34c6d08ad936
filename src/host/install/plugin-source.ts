/**
 * Where a plugin to be looked at or installed comes from: files that were sent, those that the executable carries, a folder on this
 * machine, a folder of drop-ins, or what stands on disk. Changes nothing. Called by plugins.ts and plugin-changes.ts.
 */
import { isAbsolute } from "node:path";
import { fail } from "../../base/errors.ts";
import { didYouMean, quote } from "../../base/text.ts";
import type { Roster } from "../installed/roster.ts";
import type { PackageFiles } from "../package/package-files.ts";
import type { PackageStore } from "../package/package-store.ts";
import { readCandidate, type Candidate } from "./candidate.ts";
import type { Origin } from "./install.ts";

export type PluginSource =
  | { readonly files: PackageFiles }
  | { readonly embedded: string }
  /** A folder that this machine's daemon can see, by its absolute path. */
  | { readonly link: string }
  /** What lies under that name in the folders of drop-ins. */
  | { readonly dropIn: string }
  /** What stands on disk for an installed plugin, as it is now. */
  | { readonly installed: string };

/** Throws `plugin.not_found`, `plugin.tampered`, `plugin.link_unreadable`, `plugin.folder_exposed`, `plugin.name_taken` and what `readCandidate` throws. */
export type ReadSource = (source: PluginSource) => Promise<Candidate>;

export interface SourceDeps {
  readonly roster: Pick<Roster, "get">;
  readonly store: Pick<PackageStore, "readFiles">;
  /** The plugins that the executable carries, by name. */
  readonly embedded: ReadonlyMap<string, PackageFiles>;
  /** Throws `plugin.link_unreadable`. */
  readonly readLinked: (folder: string) => Promise<PackageFiles>;
  readonly readDropIn: (name: string) => Promise<{ readonly folder: string; readonly files: PackageFiles }>;
}

export function makeReadSource(deps: SourceDeps): ReadSource {
  const { roster, store, embedded, readLinked, readDropIn } = deps;
  return async (source) => {
    if ("files" in source) return readCandidate(source.files);
    if ("embedded" in source)
      return readCandidate(embedded.get(source.embedded) ?? unknown(source, embedded));
    if ("link" in source) {
      if (isAbsolute(source.link)) return readCandidate(await readLinked(source.link));
      throw fail("usage.invalid", `a link wants an absolute path, found ${quote(source.link)}`);
    }
    if ("dropIn" in source) {
      const { folder, files } = await readDropIn(source.dropIn);
      return { ...readCandidate(files), dropIn: folder };
    }
    const { name, digest } = roster.get(source.installed).row;
    return readCandidate(await store.readFiles(name, digest));
  };
}

/** How the row calls it; a plugin that is installed again from its own files keeps what it had. */
export function originOf(
  source: PluginSource,
  before: Pick<Origin, "source"> | undefined,
  dropIn: string | undefined,
): Origin {
  const folder: Origin = { source: "folder", link: null, dropIn: null };
  if ("files" in source) return folder;
  if ("link" in source) return { ...folder, link: source.link };
  if ("embedded" in source) return { ...folder, source: "embedded" };
  if ("dropIn" in source) return { ...folder, source: "drop-in", dropIn: dropIn ?? null };
  return { ...folder, source: before?.source ?? "folder" };
}

// --- internal ---

function unknown({ embedded: name }: { readonly embedded: string }, known: SourceDeps["embedded"]): never {
  const names = [...known.keys()];
  const meant = didYouMean(name, names);
  throw fail("plugin.not_found", `no plugin called ${quote(name)} comes with voxeltron`, {
    hint: meant === undefined ? `these do: ${names.join(", ") || "none"}` : `did you mean ${quote(meant)}?`,
  });
}
