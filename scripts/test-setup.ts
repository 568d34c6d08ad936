/**
 * `bun run test:setup` (Debian, as root): installs and starts what the whole suite needs and a machine may lack. A part that
 * is there already is left alone. The engine that it starts keeps running; its pid is printed.
 */
import { mkdirSync, openSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ENGINE_SOCKET, engineAnswers, STARTED_ENGINE } from "./docker-engine.ts";
import { ROOT } from "./run.ts";

/** A program that tells whether the part is there, and the Debian package that brings it. */
const PARTS: readonly (readonly [program: string, debianPackage: string])[] = [
  ["dockerd", "docker.io"],
  ["iptables", "iptables"],
  ["busybox", "busybox-static"],
  ["docker-registry", "docker-registry"],
];
const START_MS = 30_000;

const missing = PARTS.filter(
  ([program]) => Bun.which(program, { PATH: `${process.env["PATH"]}:/usr/sbin:/sbin` }) === null,
);
if (missing.length > 0) install(missing.map(([, name]) => name));
if (!(await engineAnswers())) await startEngine();

function install(packages: readonly string[]): void {
  if (process.getuid?.() !== 0 || Bun.which("apt-get") === null)
    throw new Error(`this needs root on Debian to install: ${packages.join(" ")}`);
  run(["apt-get", "update", "-qq"]);
  run(["apt-get", "install", "-y", "-qq", "--no-install-recommends", ...packages]);
}

function run(command: string[]): void {
  const result = Bun.spawnSync(command, {
    env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
    stdout: "ignore",
    stderr: "inherit",
  });
  if (result.exitCode !== 0) throw new Error(`failed: ${command.join(" ")}`);
}

async function startEngine(): Promise<void> {
  const folder = join(ROOT, "dist");
  mkdirSync(folder, { recursive: true });
  const log = openSync(join(folder, "dockerd.log"), "w");
  const engine = Bun.spawn(["dockerd", "--host", `unix://${ENGINE_SOCKET}`], {
    env: { ...process.env, PATH: `${process.env["PATH"]}:/usr/sbin:/sbin` },
    stdin: "ignore",
    stdout: log,
    stderr: log,
    detached: true,
  });
  engine.unref();
  const end = performance.now() + START_MS;
  while (!(await engineAnswers())) {
    if (engine.exitCode !== null || performance.now() > end)
      throw new Error(`the Docker engine did not start; see ${join(folder, "dockerd.log")}`);
    await Bun.sleep(100);
  }
  writeFileSync(STARTED_ENGINE, String(engine.pid));
  process.stdout.write(`started a Docker engine, pid ${engine.pid}\n`);
}
