/** `bun run soak`: the long runs at their full counts. CI runs a seeded sample of each within the suite. */
import "./ensure-install.ts";
import { BUN, runSteps } from "./run.ts";

process.env["VOXELTRON_KILLS"] ??= "50";
process.env["VOXELTRON_SWAPS"] ??= "50";
process.env["VOXELTRON_FUZZ"] ??= "100000";
process.env["VOXELTRON_MODULES"] ??= "100000";
process.env["VOXELTRON_STOPS"] ??= "200";
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
  {
    name: "guests that had to be stopped",
    command: [BUN, "test", "test/integration/host/worker-stops.test.ts"],
  },
  {
    name: `frames and messages of a guest, seed ${process.env["VOXELTRON_SEED"]}`,
    command: [BUN, "test", "--timeout", "600000", "test/fuzz"],
  },
  {
    name: `WebAssembly modules, seed ${process.env["VOXELTRON_SEED"]}`,
    command: [BUN, "test", "--timeout", "600000", "test/unit/host/runtimes/wasm/fuzz-modules.test.ts"],
  },
]);
