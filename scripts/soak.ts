/** `bun run soak`: the long runs at their full counts. CI runs a seeded sample of each within the suite. */
import "./ensure-install.ts";
import { BUN, runSteps } from "./run.ts";

process.env["VOXELTRON_KILLS"] ??= "50";
process.env["VOXELTRON_SWAPS"] ??= "50";
process.env["VOXELTRON_SEED"] ??= String(crypto.getRandomValues(new Uint32Array(1))[0]);

await runSteps([
  { name: "build", command: [BUN, "run", "build.ts"] },
  {
    name: `kill -9, seed ${process.env["VOXELTRON_SEED"]}`,
    command: [BUN, "test", "test/e2e/kill-nine.test.ts"],
  },
  {
    name: `reloads under load, seed ${process.env["VOXELTRON_SEED"]}`,
    command: [BUN, "test", "test/e2e/reload.test.ts"],
  },
]);
