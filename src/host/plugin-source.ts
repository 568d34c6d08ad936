/**
 * Where a plugin to be looked at or installed comes from: files that were sent, those that the executable carries, or what
 * stands on disk. Changes nothing. Called by plugins.ts; plugin-changes.ts writes its name down.
 */
import { fail } from "../base/errors.ts";
import { didYouMean, quote } from "../base/text.ts";
import type { PackageFiles } from "./package/package-files.ts";
import type { PackageStore } from "./package/package-store.ts";
import type { Roster } from "./plugin-roster.ts";
import { readCandidate, type Candidate } from "./read-manifest.ts";

export type PluginSource =
  | { readonly files: PackageFiles }
  | { readonly embedded: string }
  /** What stands on disk for an installed plugin, as it is now. */
  | { readonly installed: string };

/** Throws `plugin.not_found`, `plugin.tampered` and what `readCandidate` throws. */
export type ReadSource = (source: PluginSource) => Promise<Candidate>;

export interface SourceDeps {
  readonly roster: Pick<Roster, "get">;
  readonly store: Pick<PackageStore, "readFiles">;
  /** The plugins that the executable carries, by name. */
  readonly embedded: ReadonlyMap<string, PackageFiles>;
}

export function makeReadSource({ roster, store, embedded }: SourceDeps): ReadSource {
  return async (source) => {
    if ("files" in source) return readCandidate(source.files);
    if ("embedded" in source)
      return readCandidate(embedded.get(source.embedded) ?? unknown(source, embedded));
    const { name, digest } = roster.get(source.installed).row;
    return readCandidate(await store.readFiles(name, digest));
  };
}

/** How the row calls it; a plugin that is installed again from its own files keeps what it had. */
export function sourceName(source: PluginSource, before: string | undefined): string {
  if ("files" in source) return "folder";
  return "embedded" in source ? "embedded" : (before ?? "folder");
}

// --- internal ---

function unknown({ embedded: name }: { readonly embedded: string }, known: SourceDeps["embedded"]): never {
  const names = [...known.keys()];
  const meant = didYouMean(name, names);
  throw fail("plugin.not_found", `no plugin called ${quote(name)} comes with voxeltron`, {
    hint: meant === undefined ? `these do: ${names.join(", ") || "none"}` : `did you mean ${quote(meant)}?`,
  });
}
