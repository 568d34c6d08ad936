/**
 * `bun run test:setup` (Debian, as root): installs and starts what the whole suite needs and a machine may lack, and builds the test
 * plugins. A part that is there already is left alone. The engine that it starts keeps running; its pid is printed.
 */
import "./ensure-install.ts";
import { existsSync, mkdirSync, openSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { findAnyGo, findClang, findGo, findRust } from "../test/wasm/toolchains.ts";
import { ENGINE_SOCKET, engineAnswers, STARTED_ENGINE } from "./docker-engine.ts";
import { BUN, ROOT, runSteps } from "./run.ts";

/** What tells whether the part is there, and the Debian packages that bring it. */
const PARTS: readonly (readonly [isThere: () => boolean, debianPackages: readonly string[]])[] = [
  [hasProgram("dockerd"), ["docker.io"]],
  [hasProgram("iptables"), ["iptables"]],
  [hasProgram("ip"), ["iproute2"]],
  [hasProgram("busybox"), ["busybox-static"]],
  [hasProgram("docker-registry"), ["docker-registry"]],
  [hasProgram("promtool"), ["prometheus"]],
  [hasProgram("pebble"), ["pebble"]],
  [hasProgram("python3"), ["python3"]],
  [hasProgram("curl"), ["curl"]],
  [hasProgram("wrk"), ["wrk"]],
  [hasProgram("nginx"), ["nginx-light"]],
  [hasProgram("haproxy"), ["haproxy"]],
  [hasProgram("caddy"), ["caddy"]],
  [hasProgram("podman"), ["podman", "runc", "containernetworking-plugins"]],
  [hasProgram("lxc-start"), ["lxc", "dnsmasq-base", "iptables", "iproute2"]],
  [() => findClang() !== undefined, ["clang", "lld"]],
  [() => findRust() !== undefined, ["rustc", "cargo", "libstd-rust-dev-wasm32", "lld"]],
];
const LXC_NET = [
  "/usr/libexec/lxc/lxc-net",
  `/usr/lib/${process.arch === "x64" ? "x86_64" : "aarch64"}-linux-gnu/lxc/lxc-net`,
];
const START_MS = 30_000;

const missing = PARTS.filter(([isThere]) => !isThere());
if (missing.length > 0) install(missing.flatMap(([, names]) => names));
if (findGo() === undefined) installGo();
if (findAnyGo() === undefined) install(["golang-go"]);
letPodmanRun();
startBridge();
if (!(await engineAnswers())) await startEngine();
await runSteps([{ name: "test plugins", command: [BUN, "run", "test/wasm/build.ts"] }]);

function hasProgram(program: string): () => boolean {
  return () => Bun.which(program, { PATH: `${process.env["PATH"]}:/usr/sbin:/sbin` }) !== null;
}

function install(packages: readonly string[]): void {
  if (process.getuid?.() !== 0 || Bun.which("apt-get") === null)
    throw new Error(`this needs root on Debian to install: ${packages.join(" ")}`);
  run(["apt-get", "update", "-qq"]);
  run(["apt-get", "install", "-y", "-qq", "--no-install-recommends", ...packages]);
}

/** Debian 12 has one that is too old to be of use. */
function installGo(): void {
  const isDebian = Bun.which("apt-cache") !== null;
  const policy = isDebian ? Bun.spawnSync(["apt-cache", "policy", "golang-go"]).stdout.toString() : "";
  const minor = /Candidate: (?:\d+:)?1\.(\d+)/.exec(policy)?.[1] ?? 0;
  if (Number(minor) >= 24) install(["golang-go"]);
  else process.stdout.write("Go 1.24 or newer is in no package of this Debian: bring it from go.dev\n");
}

/** Its usual runtime refuses a machine that has both versions of control groups at once; the other one does not mind. */
function letPodmanRun(): void {
  const settings = "/etc/containers/containers.conf";
  if (!existsSync("/sys/fs/cgroup/unified") || existsSync(settings)) return;
  mkdirSync("/etc/containers", { recursive: true });
  writeFileSync(settings, '[engine]\nruntime = "runc"\n');
}

/** LXC's own, with its service for addresses; on a machine without systemd nobody else starts it. */
function startBridge(): void {
  if (existsSync("/sys/class/net/lxcbr0")) return;
  const program = LXC_NET.find((path) => existsSync(path));
  if (program !== undefined) run([program, "start"]);
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
