/** Makes the executable that attacks itself, with the settings of the product's own. */
import { join } from "node:path";

export async function compileAttacker(outfile: string): Promise<void> {
  const result = await Bun.build({
    entrypoints: [join(import.meta.dir, "main.ts")],
    target: "bun",
    splitting: true,
    bytecode: true,
    format: "esm",
    minify: true,
    compile: {
      outfile,
      autoloadDotenv: false,
      autoloadBunfig: false,
      execArgv: ["--disallow-code-generation-from-strings"],
    },
  });
  if (!result.success) throw new AggregateError(result.logs, "the attacker could not be compiled");
}
