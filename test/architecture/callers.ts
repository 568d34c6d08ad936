/**
 * Whether the callers that a file's head names are its callers: a name must be that of a file that imports it. Names that stand for
 * more than a file (the daemon, the families) can't be checked. Used by rules.ts.
 */
import { dirname, join, normalize } from "node:path";
import type { Source } from "./source.ts";

/** The names of files that do not import this one. */
export function strangers({ path, text }: Source, sources: readonly Source[]): string[] {
  const importers = sources.filter((other) => importsOf(other).has(path)).map((other) => `/${other.path}`);
  return namedCallers(text).filter((name) => !importers.some((importer) => importer.endsWith(`/${name}`)));
}

// --- internal ---

/** In "Made by run.ts; called by a.ts and b/c.ts." three names. */
function namedCallers(text: string): string[] {
  const head = /^\/\*\*[^]*?\*\//.exec(text)?.[0] ?? "";
  return head
    .replaceAll(/^\s*\*/gm, " ")
    .split(/[.;:](?=\s)/)
    .flatMap(
      (clause) =>
        /\b(?:called|used|made|started|asked|read|checked|opened)\s+by\b([^]*)/i.exec(clause)?.[1] ?? [],
    )
    .flatMap((names) => names.match(/(?<![\w./-])(?:[\w.-]+\/)*[\w.-]+\.ts\b/g) ?? []);
}

/** Each file is read once, whoever asks. */
const known = new WeakMap<Source, ReadonlySet<string>>();

/** By a path in quotes: an import, or the entry of a Worker. */
function importsOf(source: Source): ReadonlySet<string> {
  const found =
    known.get(source) ??
    new Set(
      [...source.text.matchAll(/["'](\.[^"'\n]+\.ts)["']/g)].map(([, relative = ""]) =>
        normalize(join(dirname(source.path), relative)),
      ),
    );
  known.set(source, found);
  return found;
}
