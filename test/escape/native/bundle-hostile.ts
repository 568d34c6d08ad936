/** Makes one file of a hostile plugin. What is written for a plain process looks its architecture up; a plugin has no process at first. */
import { join } from "node:path";

export async function bundleHostile(
  entry: "hostile-plugin" | "rogue-plugin" = "hostile-plugin",
): Promise<string> {
  const result = await Bun.build({
    entrypoints: [join(import.meta.dir, `${entry}.ts`)],
    target: "bun",
    format: "esm",
    define: { "process.arch": JSON.stringify(process.arch) },
  });
  const [output] = result.outputs;
  if (!result.success || output === undefined)
    throw new AggregateError(result.logs, "the plugin was not bundled");
  return await output.text();
}
