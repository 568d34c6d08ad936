/** `bun run check`: everything that can be said about the code without running it, fastest first. */
import "./ensure-install.ts";
import { BUN, runSteps, tool } from "./run.ts";

await runSteps([
  { name: "guest engine", command: [BUN, "run", "scripts/guest-wasm/main.ts"] },
  { name: "format", command: tool("oxfmt", "--check") },
  { name: "lint", command: tool("oxlint") },
  { name: "types", command: tool("tsc", "--noEmit") },
  { name: "unused code", command: tool("knip") },
  { name: "architecture", command: [BUN, "test", "test/unit/architecture.test.ts"] },
]);
