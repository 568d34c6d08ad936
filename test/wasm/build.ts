/** `bun run test/wasm/build.ts`: builds every test plugin that this machine has a compiler for. Called before the suite, and by test-setup. */
import { wasmModule } from "./modules.ts";
import { RECIPES, type ModuleName } from "./recipes.ts";

for (const name of Object.keys(RECIPES) as ModuleName[]) {
  const start = performance.now();
  const built = (await wasmModule(name)) !== undefined;
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  process.stdout.write(
    built ? `${name} (${seconds} s)\n` : `${name}: not built, needs ${RECIPES[name].toolchain}\n`,
  );
}
