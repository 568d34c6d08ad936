/**
 * A second Docker engine on this machine, as a server elsewhere would be: with its own data, reached over TLS with certificates of
 * both sides at 127.0.0.2. Its network is a bridge that is made for it: an engine without one takes away the other engine's.
 */
import { mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { issueCertificate, makeCertificate, type Certificate } from "./certificate.ts";
import { ensureTestImage } from "./fixtures/docker-image.ts";
import { until } from "./harness.ts";

export const SECOND_HOST = "127.0.0.2";

export interface SecondEngine extends AsyncDisposable {
  readonly port: number;
  readonly folder: string;
  readonly files: { readonly ca: string; readonly cert: string; readonly key: string };
  /** Signed the engine's certificate, and the client's. */
  readonly authority: Certificate;
  /** Its own socket, for looking at it past the connection under test. */
  readonly socket: string;
  /** Its command line's output; throws where it fails. */
  docker(...words: readonly string[]): string;
  /** Ends the engine, and with it its containers. */
  down(): Promise<void>;
  up(): Promise<void>;
  pid(): number;
}

export async function startSecondEngine(): Promise<SecondEngine> {
  const folder = mkdtempSync(join(tmpdir(), "voxeltron-engine-"));
  const authority = makeCertificate("second engine's authority");
  const files = writeCertificates(folder, authority);
  const bridge = makeBridge();
  const socket = join(folder, "engine.sock");
  const port = freePort();
  let engine: Bun.Subprocess | undefined;

  async function up(): Promise<void> {
    const log = openSync(join(folder, "dockerd.log"), "a");
    engine = Bun.spawn([...commandOf(folder, port, socket), "--bridge", bridge.name], {
      env: SYSTEM,
      stdin: "ignore",
      stdout: log,
      stderr: log,
    });
    const started = engine;
    const answers = (): boolean => run("docker", "--host", `unix://${socket}`, "info").exitCode === 0;
    await until(
      () => {
        if (started.exitCode !== null)
          throw new Error(`dockerd ended: ${readFileSync(join(folder, "dockerd.log"), "utf8").slice(-2000)}`);
        return answers();
      },
      { timeoutMs: 30_000, what: "the second engine" },
    );
  }

  /** Asked to, and not killed: it ends its own children. */
  async function down(): Promise<void> {
    engine?.kill("SIGTERM");
    await engine?.exited;
  }

  function docker(...words: readonly string[]): string {
    const { exitCode, stdout, stderr } = run("docker", "--host", `unix://${socket}`, ...words);
    if (exitCode !== 0) throw new Error(`docker ${words.join(" ")}: ${stderr.toString()}`);
    return stdout.toString().trim();
  }

  const second: SecondEngine = {
    port,
    folder,
    files,
    authority,
    socket,
    docker,
    down,
    up,
    pid: () => engine?.pid ?? 0,
    async [Symbol.asyncDispose]() {
      if (engine?.exitCode !== null) await up().catch(() => {});
      const left = docker("ps", "--all", "--quiet").split("\n").filter(Boolean);
      if (left.length > 0) docker("rm", "--force", "--volumes", ...left);
      await down();
      bridge.remove();
      unmountBelow(folder);
      rmSync(folder, { recursive: true, force: true });
    },
  };
  try {
    await up();
    await ensureTestImage("docker", `unix://${socket}`);
  } catch (error) {
    await down();
    bridge.remove();
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
  return second;
}

// --- internal ---

const SYSTEM = { ...process.env, PATH: `${process.env["PATH"]}:/usr/sbin:/sbin` };

function run(...command: string[]): Bun.SyncSubprocess<"pipe", "pipe"> {
  return Bun.spawnSync(command, { env: SYSTEM, stdout: "pipe", stderr: "pipe" });
}

/** What is mounted there would be removed with the folder, or keep it from being removed. */
function unmountBelow(folder: string): void {
  const mounted = readFileSync("/proc/mounts", "utf8")
    .split("\n")
    .map((line) => line.split(" ")[1] ?? "");
  for (const path of mounted.filter((each) => each.startsWith(`${folder}/`)).toReversed())
    run("umount", "--lazy", path);
}

function commandOf(folder: string, port: number, socket: string): string[] {
  const at = (name: string): string => join(folder, name);
  const flags: Readonly<Record<string, string>> = {
    "data-root": at("data"),
    "exec-root": at("exec"),
    pidfile: at("pid"),
    tlscacert: at("ca.pem"),
    tlscert: at("server.pem"),
    tlskey: at("server.key"),
    tlsverify: "true",
    "storage-driver": "vfs",
    // The machine's rules and its routing are another engine's.
    iptables: "false",
    "ip-forward": "false",
    "ip-masq": "false",
  };
  return [
    "dockerd",
    `--host=unix://${socket}`,
    `--host=tcp://${SECOND_HOST}:${port}`,
    ...Object.entries(flags).map(([name, value]) => `--${name}=${value}`),
  ];
}

function writeCertificates(folder: string, authority: Certificate): SecondEngine["files"] {
  const server = issueCertificate({ names: [SECOND_HOST, "localhost"], issuer: authority });
  const client = issueCertificate({ names: ["voxeltron"], issuer: authority });
  mkdirSync(folder, { recursive: true });
  const write = (name: string, text: string): string => {
    const path = join(folder, name);
    writeFileSync(path, text, { mode: 0o600 });
    return path;
  };
  write("server.pem", server.cert);
  write("server.key", server.key);
  return {
    ca: write("ca.pem", authority.cert),
    cert: write("cert.pem", client.cert),
    key: write("key.pem", client.key),
  };
}

/** With an address that no other network of this machine has. */
function makeBridge(): { readonly name: string; remove(): void } {
  const name = `vxt${process.pid.toString(36)}${Math.floor(Math.random() * 1000)}`.slice(0, 15);
  const used = run("ip", "-o", "-4", "address").stdout.toString();
  // Another file's engine may be starting at the same time.
  const offset = Math.floor(Math.random() * 180);
  const third =
    Array.from({ length: 180 }, (_, i) => 64 + ((i + offset) % 180)).find(
      (n) => !used.includes(`172.31.${n}.`),
    ) ?? 64;
  for (const words of [
    ["link", "add", "name", name, "type", "bridge"],
    ["address", "add", `172.31.${third}.1/24`, "dev", name],
    ["link", "set", name, "up"],
  ]) {
    const { exitCode, stderr } = run("ip", ...words);
    if (exitCode !== 0) throw new Error(`ip ${words.join(" ")}: ${stderr.toString()}`);
  }
  return { name, remove: () => void run("ip", "link", "delete", name) };
}

function freePort(): number {
  const server = Bun.listen({ hostname: SECOND_HOST, port: 0, socket: { data() {} } });
  const { port } = server;
  server.stop(true);
  return port;
}
