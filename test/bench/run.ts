/** `bun run bench`: prints a table and writes dist/bench.json. A measurement, not a test: it asserts nothing. */
import { existsSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { needs } from "../harness.ts";
import { benchAlerts } from "./alerts.ts";
import { benchCapabilities } from "./capabilities.ts";
import { benchCommandLine } from "./command-line.ts";
import { benchDelivery } from "./delivery.ts";
import { benchDockerDeploy } from "./docker-deploy.ts";
import { benchLogs } from "./logs.ts";
import { table, type Row } from "./measure.ts";
import { benchFiles } from "./files.ts";
import { benchMemory } from "./memory.ts";
import { benchMetrics } from "./metrics.ts";
import { benchProviders } from "./providers.ts";
import { benchProxy } from "./proxy.ts";
import { benchReload } from "./reload.ts";
import { benchRooms } from "./rooms.ts";
import { benchWorkspaces } from "./workspaces.ts";

if (!existsSync("dist/voxeltron")) throw new Error("build it first: bun run build");

const rows: Row[] = [
  ...(await benchCommandLine()),
  ...(await benchMemory()),
  ...(await benchDelivery()),
  ...(await benchRooms()),
  ...(await benchReload()),
  ...(await benchCapabilities()),
  ...(await benchFiles()),
  ...(await benchMetrics()),
  ...(await benchProxy()),
  ...(await benchProviders()),
  ...(await benchWorkspaces()),
  ...(await benchAlerts()),
];
if (needs("docker")) rows.push(...(await benchDockerDeploy()), ...(await benchLogs()));
else process.stderr.write("no Docker engine answers: its part is left out\n");

const machine = `${cpus().length} × ${cpus()[0]?.model ?? "unknown CPU"}, Bun ${Bun.version}, ${process.platform} ${process.arch}`;
process.stdout.write(`${machine}\n\n${table(rows)}\n`);
writeFileSync(
  "dist/bench.json",
  `${JSON.stringify({ machine, at: new Date().toISOString(), rows }, null, 2)}\n`,
);
