/**
 * Which file an import means, among the plugin's own files in memory: relative paths, packages in its own node_modules,
 * `@voxeltron/sdk` and Node's modules that need no authority. Everything else is refused with the reason. No disk, no network.
 * Called by bundle-files.ts.
 */
import { dirname, join, normalize } from "node:path/posix";
import { packageTargets } from "./package-exports.ts";
import { judgeBuiltin } from "./pure-builtins.ts";
import { SOURCE_ENDINGS_TEXT, sourceLoader } from "./source-kinds.ts";

export const SDK_NAME = "@voxeltron/sdk";

/** The plugin's files by path: relative to its folder, with slashes. */
export type SourceFiles = ReadonlyMap<string, Uint8Array>;

export type Resolved =
  | { readonly path: string }
  | { readonly sdk: true }
  /** Stays in the bundle, to be imported where it runs. */
  | { readonly builtin: string }
  | { readonly refused: string };

export function resolveImport(
  files: SourceFiles,
  importer: string,
  specifier: string,
  kind: string,
): Resolved {
  if (!KINDS.has(kind))
    return { refused: `${kind} is not supported: only import and require of a fixed name are` };
  if (specifier === SDK_NAME) return { sdk: true };
  if (/^\.{1,2}(\/|$)/.test(specifier)) return relativeFile(files, importer, specifier);
  if (/^(node|bun):/.test(specifier)) return judgeBuiltin(specifier) ?? { refused: ALLOWED };
  if (specifier.startsWith("/") || specifier.startsWith("#") || /^[a-z][a-z+.-]*:/i.test(specifier)) {
    return { refused: ALLOWED };
  }
  return packageFile(files, importer, specifier);
}

// --- internal ---

const KINDS: ReadonlySet<string> = new Set(["import-statement", "dynamic-import", "require-call"]);
const ALLOWED = `allowed are relative paths inside the plugin's folder, packages in its own node_modules, ${SDK_NAME}, and Node modules that need no authority`;
const ENDINGS = ["", ".ts", ".tsx", ".mts", ".js", ".jsx", ".mjs", ".cjs", ".cts", ".json"];
/** TypeScript sources are often imported by the name of what they compile to. */
const WRITTEN_AS: Readonly<Record<string, readonly string[]>> = {
  ".js": [".ts", ".tsx"],
  ".jsx": [".tsx"],
  ".mjs": [".mts"],
  ".cjs": [".cts"],
};

function relativeFile(files: SourceFiles, importer: string, specifier: string): Resolved {
  const path = normalize(join(dirname(importer), specifier));
  if (path === ".." || path.startsWith("../") || path.startsWith("/")) {
    return { refused: `it is outside of the plugin's folder; ${ALLOWED}` };
  }
  const found = findFile(files, path);
  if (found === undefined) return { refused: `the plugin has no such source file (${SOURCE_ENDINGS_TEXT})` };
  return usable(found);
}

function usable(path: string): Resolved {
  if (sourceLoader(path) !== undefined) return { path };
  return { refused: `a file of this kind can't be imported, only ${SOURCE_ENDINGS_TEXT}` };
}

function findFile(files: SourceFiles, path: string): string | undefined {
  const written = /\.[mc]?jsx?$/.exec(path)?.[0] ?? "";
  const instead = (WRITTEN_AS[written] ?? []).map((ending) => path.slice(0, -written.length) + ending);
  const base = path.replace(/\/$/, "");
  const candidates = [
    ...ENDINGS.map((ending) => base + ending),
    ...instead,
    ...ENDINGS.slice(1).map((ending) => normalize(`${base}/index${ending}`)),
  ];
  return candidates.find((candidate) => files.has(candidate));
}

function packageFile(files: SourceFiles, importer: string, specifier: string): Resolved {
  const match = /^((?:@[^/]+\/)?[^/@][^/]*)(\/.*)?$/.exec(specifier);
  const name = match?.[1];
  if (name === undefined || name === "." || name === "..") return { refused: ALLOWED };
  for (const folder of nodeModulesAbove(importer)) {
    const home = `${folder}/${name}`;
    if (!isFolder(files, home)) continue;
    // `buffer/` is how packages write "not Node's own".
    const subpath = match?.[2] === "/" ? "." : `.${match?.[2] ?? ""}`;
    const targets = packageTargets(readJson(files.get(`${home}/package.json`)), subpath);
    if (targets === undefined) return { refused: `the package ${name} does not export it` };
    for (const target of targets) {
      const path = normalize(`${home}/${target}`);
      const found = path === home || path.startsWith(`${home}/`) ? findFile(files, path) : undefined;
      if (found !== undefined) return usable(found);
    }
    return { refused: `the package ${name} has no such file` };
  }
  return (
    judgeBuiltin(specifier) ?? { refused: `the plugin's node_modules has no package ${name}; ${ALLOWED}` }
  );
}

/** `a/b/c.ts` → `a/b/node_modules`, `a/node_modules`, `node_modules`. */
function nodeModulesAbove(importer: string): string[] {
  const folders: string[] = [];
  for (let folder = dirname(importer); ; folder = dirname(folder)) {
    folders.push(folder === "." ? "node_modules" : `${folder}/node_modules`);
    if (folder === ".") return folders;
  }
}

function isFolder(files: SourceFiles, folder: string): boolean {
  if (files.has(`${folder}/package.json`)) return true;
  for (const path of files.keys()) if (path.startsWith(`${folder}/`)) return true;
  return false;
}

function readJson(bytes: Uint8Array | undefined): unknown {
  try {
    return bytes === undefined ? undefined : (JSON.parse(new TextDecoder().decode(bytes)) as unknown);
  } catch {
    return undefined;
  }
}
