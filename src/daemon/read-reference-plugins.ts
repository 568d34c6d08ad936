/** Runs at build time only (see embedded-plugins.ts): the text files of every folder in plugins/, by plugin and path. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** What belongs to the repository and not to the plugin. */
const LEFT_OUT = /^(package\.json|node_modules\/|.*\.test\.ts$)/;

export function readReferencePlugins(): Record<string, Record<string, string>> {
  const root = join(import.meta.dir, "../../plugins");
  const names = readdirSync(root).toSorted();
  return Object.fromEntries(names.map((name) => [name, readTexts(join(root, name))]));
}

function readTexts(folder: string): Record<string, string> {
  const paths = [...new Bun.Glob("**/*").scanSync({ cwd: folder })]
    .filter((path) => !LEFT_OUT.test(path))
    .toSorted();
  return Object.fromEntries(paths.map((path) => [path, readFileSync(join(folder, path), "utf8")]));
}
