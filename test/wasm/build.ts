/** `bun run test/wasm/build.ts`: builds every test plugin that this machine has a compiler for, executables too. Called before the suite, and by test-setup. */
import {
  SAMPLE_LANGUAGES,
  SAMPLE_VARIANTS,
  sampleName,
  sampleProvider,
} from "../fixtures/provider-samples.ts";
import { wasmModule } from "./modules.ts";
import { RECIPES, type ModuleName } from "./recipes.ts";

for (const name of Object.keys(RECIPES) as ModuleName[])
  await build(name, RECIPES[name].toolchain, async () => (await wasmModule(name)) !== undefined);
for (const language of SAMPLE_LANGUAGES)
  for (const variant of SAMPLE_VARIANTS)
    await build(
      sampleName(language, variant),
      language,
      () => sampleProvider(language, variant) !== undefined,
    );

async function build(
  name: string,
  needed: string | undefined,
  make: () => boolean | Promise<boolean>,
): Promise<void> {
  const start = performance.now();
  const built = await make();
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  process.stdout.write(built ? `${name} (${seconds} s)\n` : `${name}: not built, needs ${needed}\n`);
}
