/** `bun run ok`: exactly what CI runs. Sets up what the whole suite needs, checks, and runs the README's test command. */
import "./ensure-install.ts";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { STARTED_ENGINE } from "./docker-engine.ts";
import { BUN, runSteps } from "./run.ts";

rmSync(STARTED_ENGINE, { force: true });
try {
  await runSteps([
    { name: "set-up", command: [BUN, "run", "test:setup"] },
    { name: "check", command: [BUN, "run", "check"] },
    { name: "test", command: ["npx", "--yes", "bun@1.4.5", "run", "test"], last: true },
  ]);
} finally {
  // What this run started, it stops.
  if (existsSync(STARTED_ENGINE)) process.kill(Number(readFileSync(STARTED_ENGINE, "utf8")));
}
