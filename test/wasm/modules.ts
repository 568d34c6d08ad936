/**
 * The test plugins as modules: each is built when it is asked for and its sources have changed since, into dist/wasm. A module whose
 * compiler is not there is reported as every missing part is. Called by tests, and by build.ts for all at once.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from "node:fs";
import { join, relative } from "node:path";
import { lacks } from "../harness.ts";
import { RECIPES, type Command, type ModuleName, type Recipe } from "./recipes.ts";

/** The module's bytes; undefined where this machine can't build it. With CI=true that is a failure. */
export async function wasmModule(name: ModuleName): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const recipe: Recipe = RECIPES[name];
  const file = join(FOLDER, `${name}-${digestOf(recipe)}.wasm`);
  if (existsSync(file) || build(name, recipe, file))
    return new Uint8Array(await Bun.file(file).arrayBuffer());
  lacks(recipe.toolchain ?? name);
  return undefined;
}

/** One that needs nothing but the dependencies. */
export async function ownModule(name: OwnModule) {
  const bytes = await wasmModule(name);
  if (bytes === undefined) throw new Error(`${name} was not built`);
  return bytes;
}

type OwnModule = "behaviours" | "counter" | "watcher" | "table-bomb" | "echo" | "conformance-assemblyscript";

// --- internal ---

const FOLDER = join(import.meta.dir, "../../dist/wasm");

/** False where a compiler, or what it would have to download, can't be had. */
function build(name: ModuleName, recipe: Recipe, file: string): boolean {
  mkdirSync(FOLDER, { recursive: true });
  const half = `${file}.${process.pid}.half`;
  const plan = recipe.plan(half, join(FOLDER, `${name}.scratch`));
  if (plan === undefined) return false;
  if (plan.fetch !== undefined && run(plan.fetch) !== undefined) return false;
  const problem = run(plan.build);
  if (problem !== undefined) throw new Error(`${name} could not be built: ${problem}`);
  for (const old of readdirSync(FOLDER)) {
    if (old.startsWith(`${name}-`) && old.endsWith(".wasm")) rmSync(join(FOLDER, old));
  }
  renameSync(plan.made ?? half, file);
  return true;
}

/** What it said where it failed. */
function run({ words, cwd, environment }: Command): string | undefined {
  const env = { ...process.env, ...environment };
  const result = Bun.spawnSync([...words], { cwd, env, stdin: "ignore", stdout: "pipe", stderr: "pipe" });
  if (result.exitCode === 0) return undefined;
  return `${result.stdout.toString()}${result.stderr.toString()}`.slice(-4000);
}

/** Of the sources, of how they are built and of the compilers that come as dependencies. */
function digestOf({ sources }: Recipe): string {
  const hash = new Bun.CryptoHasher("sha256");
  const folder = join(import.meta.dir, sources);
  const inputs = readdirSync(folder, { recursive: true, encoding: "utf8" })
    .map((path) => join(folder, path))
    .filter((path) => statSync(path).isFile())
    .toSorted();
  const compilers = ["assemblyscript", "@extism/as-pdk", "wabt"].map((name) =>
    join(import.meta.dir, "../../node_modules", name, "package.json"),
  );
  for (const path of [...inputs, join(import.meta.dir, "recipes.ts"), ...compilers])
    hash.update(relative(import.meta.dir, path)).update(readFileSync(path));
  return hash.digest("hex").slice(0, 16);
}
