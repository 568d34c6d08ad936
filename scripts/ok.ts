/** `bun run ok`: exactly what CI runs. Sets up what the whole suite needs, checks, and runs the README's test command. */
import "./ensure-install.ts";
import { BUN, runSteps } from "./run.ts";

await runSteps([
  { name: "set-up", command: [BUN, "run", "test:setup"] },
  { name: "check", command: [BUN, "run", "check"] },
  { name: "test", command: ["npx", "--yes", "bun@1.4.5", "run", "test"] },
]);
