/**
 * Bundles a plugin's files, which are in memory, to one module. Runs in a process of its own, because it parses what a stranger
 * wrote; opens no file. Macros, which would run the plugin's code here, are off. Called by bundle-role.ts.
 */
import { printable, quote } from "../../base/text.ts";
import { PURE_BUILTINS } from "./pure-builtins.ts";
import { resolveImport, SDK_NAME, type Resolved, type SourceFiles } from "./resolve-import.ts";
import { SDK_MODULE } from "./sdk-module.ts";
import { sourceLoader } from "./source-kinds.ts";

export type BundleOutcome = Bundled | BundleProblem;

export interface Bundled {
  readonly code: string;
  readonly sourceMap: string;
  /** The Node modules that it imports where it runs, as `node:crypto`, in order. */
  readonly builtins: readonly string[];
}

export interface BundleProblem {
  readonly problem: "plugin.import_refused" | "plugin.bundle_failed";
  readonly message: string;
}

/** `worker`: the plugin is to run in the Worker room and nowhere else, so that Node's modules are refused. */
export async function bundleFiles(
  files: SourceFiles,
  entry: string,
  worker: boolean,
): Promise<BundleOutcome> {
  const refusals: Refusal[] = [];
  const resolve: Resolve = (importer, specifier, kind) => {
    const found = resolveImport(files, importer, specifier, kind);
    return worker && "builtin" in found ? { refused: WORKER_ONLY } : found;
  };
  const built = await Bun.build({ ...OPTIONS, plugins: [memoryPlugin(files, entry, resolve, refusals)] });
  if (refusals.length > 0) return { problem: "plugin.import_refused", message: refusalText(files, refusals) };
  const [code, map] = ["entry-point", "sourcemap"].map((kind) =>
    built.outputs.find((file) => file.kind === kind),
  );
  if (!built.success || code === undefined || map === undefined) {
    return { problem: "plugin.bundle_failed", message: logText(built.logs) };
  }
  const text = await code.text();
  const { exports, imports } = new Bun.Transpiler({ loader: "js" }).scan(text);
  if (!exports.includes("default")) return { problem: "plugin.bundle_failed", message: noDefault(entry) };
  const builtins = [...new Set(imports.map(({ path }) => path))].toSorted();
  const stray = builtins.find((name) => !PURE_BUILTINS.includes(name));
  if (stray !== undefined) return { problem: "plugin.import_refused", message: strayText(files, stray) };
  return { code: text, sourceMap: slimMap(await map.text()), builtins };
}

// --- internal ---

const NAMESPACE = "plugin";
/** For `require` of a built-in: a module has no `require` of its own where it runs, only imports. */
const REQUIRED = "builtin";

/** `macros` is an option of the bundler that its types do not list. */
const OPTIONS: Bun.BuildConfig & { readonly macros: boolean } = {
  entrypoints: [`${NAMESPACE}:entry`],
  target: "browser",
  format: "esm",
  sourcemap: "external",
  env: "disable",
  macros: false,
  throw: false,
  define: { "process.env.NODE_ENV": '"production"' },
};

const WORKER_ONLY =
  'the Worker room has no Node modules, and isolation = "worker" keeps the plugin there: leave it out, or use the web\'s interfaces and ctx';

type Resolve = (importer: string, specifier: string, kind: string) => Resolved;

interface Refusal {
  readonly importer: string;
  readonly specifier: string;
  readonly reason: string;
}

function memoryPlugin(
  files: SourceFiles,
  entry: string,
  resolve: Resolve,
  refusals: Refusal[],
): Bun.BunPlugin {
  return {
    name: "plugin files in memory",
    setup(build) {
      build.onResolve({ filter: /.*/ }, ({ path, importer, kind, namespace }) => {
        if (importer === "") return { path: entry, namespace: NAMESPACE };
        if (namespace === REQUIRED) return { path, external: true };
        const found = resolve(importer, path, kind);
        if ("sdk" in found) return { path: SDK_NAME, namespace: "sdk" };
        if ("path" in found) return { path: found.path, namespace: NAMESPACE };
        if ("builtin" in found) {
          if (kind !== "require-call") return { path: found.builtin, external: true };
          return { path: found.builtin.replace("node:", ""), namespace: REQUIRED };
        }
        refusals.push({ importer, specifier: path, reason: found.refused });
        throw new Error(found.refused);
      });
      build.onLoad({ filter: /.*/, namespace: "sdk" }, () => ({ contents: SDK_MODULE, loader: "js" }));
      build.onLoad({ filter: /.*/, namespace: REQUIRED }, ({ path }) => ({
        contents: requiredModule(path),
        loader: "js",
      }));
      build.onLoad({ filter: /.*/, namespace: NAMESPACE }, ({ path }) => ({
        contents: files.get(path) ?? "",
        loader: sourceLoader(path) ?? "js",
      }));
    },
  };
}

/** `require("node:events")` is the class itself: what Node's modules call their default export. */
function requiredModule(name: string): string {
  return `import all from ${JSON.stringify(`node:${name}`)};\nmodule.exports = all;`;
}

function refusalText(files: SourceFiles, refusals: readonly Refusal[]): string {
  const lines = refusals.slice(0, REPORTED_MAX).map(({ importer, specifier, reason }) => {
    const line = lineOf(files.get(importer), specifier);
    return `${printable(importer)}${line === undefined ? "" : `:${line}`} imports ${quote(specifier)}: ${reason}`;
  });
  return lines.join("; ");
}

/** Some imports the bundler leaves as they are without a word, by their attributes: nobody says where they were. */
function strayText(files: SourceFiles, specifier: string): string {
  const importer = [...files.keys()].find((path) => lineOf(files.get(path), specifier) !== undefined);
  const reason = "an import of this type can't be part of a plugin";
  return refusalText(files, [{ importer: importer ?? "the bundle", specifier, reason }]);
}

const REPORTED_MAX = 5;

/** The line on which a specifier stands. The bundler does not say it for an import that was refused. */
function lineOf(source: Uint8Array | undefined, specifier: string): number | undefined {
  const lines = new TextDecoder().decode(source).split("\n");
  const holds = (line: string) => ['"', "'", "`"].some((mark) => line.includes(mark + specifier + mark));
  const index = lines.findIndex((line) => holds(line) && /\b(import|from|require)\b/.test(line));
  const found = index === -1 ? lines.findIndex(holds) : index;
  return found === -1 ? undefined : found + 1;
}

function logText(logs: readonly (BuildMessage | ResolveMessage)[]): string {
  const errors = logs.filter(({ level }) => level === "error");
  const lines = errors.slice(0, REPORTED_MAX).map(({ message, position }) => {
    if (position === null || position.line === 0) return printable(message);
    const place = `${printable(position.file)}:${position.line}:${position.column}`;
    const source = printable(position.lineText.trim(), 120);
    return `${place}: ${printable(message)}${source === "" ? "" : ` in \`${source}\``}`;
  });
  return lines.join("; ") || "the bundler gave no reason";
}

function noDefault(entry: string): string {
  return `${printable(entry)} has no default export: end it with \`export default { async on_deploy_success(event, ctx) { … } };\``;
}

/** Names and mappings only: the sources are on disk, and this is kept in memory. */
function slimMap(text: string): string {
  const { sources, mappings } = JSON.parse(text) as { sources: string[]; mappings: string };
  const own = sources.map((source) => source.replace(/^(plugin|sdk|builtin):/, ""));
  return JSON.stringify({ version: 3, sources: own, mappings });
}
