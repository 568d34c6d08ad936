/**
 * The same module run by Node and Extism's own SDK, for test/bench/rooms.ts: `node node.mjs MODULE HOOK CALLS INPUT`. Prints the
 * microseconds of each call as a JSON list.
 */
import { readFileSync } from "node:fs";
import { createPlugin } from "@extism/extism";

const [module, hook, calls, input] = process.argv.slice(2);
const plugin = await createPlugin(
  { wasm: [{ data: new Uint8Array(readFileSync(module)) }] },
  { runInWorker: process.env.IN_WORKER === "1" },
);
const bytes = new TextEncoder().encode(input);
const times = [];
for (let i = 0; i < Number(calls); i++) {
  const start = performance.now();
  await plugin.call(hook, bytes.slice());
  times.push((performance.now() - start) * 1000);
  if (process.env.IN_WORKER !== "1") await plugin.reset();
}
process.stdout.write(JSON.stringify(times));
await plugin.close();
