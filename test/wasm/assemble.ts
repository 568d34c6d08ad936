/** `bun run assemble.ts IN.wat OUT.wasm`: the text format as a module. Called by modules.ts, as the compilers are. */
import { readFileSync, writeFileSync } from "node:fs";
import makeWabt from "wabt";

const [source = "", outFile = ""] = process.argv.slice(2);
const wabt = await makeWabt();
const module = wabt.parseWat(source, readFileSync(source, "utf8"), {
  reference_types: true,
  bulk_memory: true,
});
writeFileSync(outFile, module.toBinary({}).buffer);
