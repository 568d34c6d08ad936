/** Runs at build time only (see embedded-plugins.ts): the text files of every folder in plugins/, by plugin and path. */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";

export interface ReferenceFile {
  readonly text: string;
  readonly executable: boolean;
}

/** What belongs to the repository and not to the plugin. */
const LEFT_OUT = /^(package\.json|node_modules\/|.*\.test\.ts$|(.*\/)?__pycache__\/)/;
const OWNER_MAY_EXECUTE = 0o100;

export function readReferencePlugins(): Record<string, Record<string, ReferenceFile>> {
  const root = join(import.meta.dir, "../../plugins");
  const names = readdirSync(root).toSorted();
  return Object.fromEntries(names.map((name) => [name, readFiles(join(root, name))]));
}

function readFiles(folder: string): Record<string, ReferenceFile> {
  const paths = [...new Bun.Glob("**/*").scanSync({ cwd: folder })]
    .filter((path) => !LEFT_OUT.test(path))
    .toSorted();
  return Object.fromEntries(paths.map((path) => [path, readFile(join(folder, path))]));
}

function readFile(path: string): ReferenceFile {
  return { text: readFileSync(path, "utf8"), executable: (statSync(path).mode & OWNER_MAY_EXECUTE) !== 0 };
}
