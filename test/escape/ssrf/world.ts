/** A process in a network of its own, started by ssrf.test.ts with `unshare`: makes the attacks and writes what came of each as a line of JSON. */
import { writeSync } from "node:fs";
import { attacks } from "./attacks.ts";
import { makeNetwork } from "./network.ts";

const [folder = ""] = process.argv.slice(2);
await makeNetwork(folder);
for await (const outcome of attacks()) writeSync(1, `${JSON.stringify(outcome)}\n`);
process.exit(0);
