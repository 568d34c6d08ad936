/**
 * The reverse proxy of the compiled executable beside nginx, haproxy and caddy, one after the other in each round, before one service:
 * requests a second, the slowest hundredth, processor time for each request, and memory while 10,000 clients keep a connection open.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { makeMachine, type Machine } from "../e2e/machine.ts";
import { freePort, until } from "../harness.ts";
import { residentMegabytes } from "../resident.ts";
import { median, type Row } from "./measure.ts";
import { RIVALS } from "./proxies.ts";

const ROUNDS = 3;
const SECONDS = 2;
const CLIENTS = 16;
const IDLE = 10_000;
const SIZES = { "1 KB": "/1k", "100 KB": "/100k" } as const;

export async function benchProxy(): Promise<Row[]> {
  const lacking = ["nginx", "wrk", "haproxy", "caddy"].filter((program) => Bun.which(program) === null);
  if (lacking.length > 0) process.stderr.write(`proxies: not there, and left out: ${lacking.join(", ")}\n`);
  if (lacking.includes("nginx") || lacking.includes("wrk")) return [];
  const port = freePort();
  await using machine = makeMachine(
    `[providers]\ndefault = "process"\n[proxy]\nhttp = "127.0.0.1:${port}"\n`,
  );
  await machine.start();
  const upstream = await deployService(machine);
  await using stack = new AsyncDisposableStack();
  const contenders = [{ name: "voxeltron", port, pid: machine.pid() }];
  for (const rival of RIVALS.filter(({ name }) => !lacking.includes(name))) {
    const at = freePort();
    const child = Bun.spawn(rival.start(machine.folder, at, upstream), {
      cwd: machine.folder,
      env: { HOME: machine.folder, PATH: process.env["PATH"] ?? "" },
      stdio: ["ignore", "ignore", "ignore"],
    });
    stack.defer(async () => {
      child.kill("SIGKILL");
      await child.exited;
    });
    contenders.push({ name: rival.name, port: at, pid: child.pid });
  }
  for (const each of contenders)
    await until(() => answers(each.port), { timeoutMs: 15_000, what: each.name });
  const rows: Row[] = [];
  for (const [size, path] of Object.entries(SIZES)) rows.push(...(await race(contenders, size, path)));
  for (const each of contenders) rows.push(await idle(each));
  return rows;
}

// --- internal ---

interface Contender {
  readonly name: string;
  readonly port: number;
  readonly pid: number;
}

/** nginx again, as a service: the files are served from its memory. */
async function deployService(machine: Machine): Promise<number> {
  const folder = machine.write("files", {
    "1k": "x".repeat(1024),
    "100k": "x".repeat(102_400),
    "index.ts": `
      import { writeFileSync } from "node:fs";
      const folder = process.cwd();
      writeFileSync("nginx.conf", \`daemon off; master_process off; pid \${folder}/pid; error_log /dev/null; events { worker_connections 10000; }
      http { access_log off; keepalive_requests 10000000; client_body_temp_path \${folder}/t1; proxy_temp_path \${folder}/t2; fastcgi_temp_path \${folder}/t3; uwsgi_temp_path \${folder}/t4; scgi_temp_path \${folder}/t5;
      server { listen 127.0.0.1:\${process.env.PORT}; root \${folder}; } }\`);
      const child = Bun.spawn(["/usr/sbin/nginx", "-c", folder + "/nginx.conf"], { stdio: ["ignore", "inherit", "inherit"] });
      process.on("SIGTERM", () => child.kill());
      process.exitCode = await child.exited;
    `,
  });
  const end = await machine.json<{ readonly address: string }>(
    "deploy",
    "files",
    "--path",
    folder,
    "--port",
    "80",
    "--domain",
    "bench.test",
  );
  return Number(end.address.split(":")[1]);
}

async function race(contenders: readonly Contender[], size: string, path: string): Promise<Row[]> {
  const runs = new Map(contenders.map(({ name }) => [name, [] as Run[]]));
  for (const { port } of contenders) await load(port, path, 1);
  for (let round = 0; round < ROUNDS; round++)
    for (const { name, port, pid } of contenders) {
      const before = cpuMicroseconds(pid);
      const { requests, p99 } = await load(port, path, SECONDS);
      const cpu = (cpuMicroseconds(pid) - before) / requests;
      runs.get(name)?.push({ rate: requests / SECONDS, p99, cpu });
    }
  return Array.from(runs, ([name, of]): Row[] => [
    {
      what: `proxy, ${size}: ${name}, requests`,
      value: median(of.map(({ rate }) => rate)),
      unit: "/s",
      runs: ROUNDS,
    },
    {
      what: `proxy, ${size}: ${name}, p99`,
      value: median(of.map(({ p99 }) => p99)),
      unit: "ms",
      runs: ROUNDS,
    },
    {
      what: `proxy, ${size}: ${name}, processor time a request`,
      value: median(of.map(({ cpu }) => cpu)),
      unit: "µs",
      runs: ROUNDS,
      ...(name === "voxeltron" ? { aim: "≤ ½ caddy, ≤ 1.3 nginx" } : {}),
    },
  ]).flat();
}

interface Run {
  readonly rate: number;
  readonly p99: number;
  readonly cpu: number;
}

async function load(port: number, path: string, seconds: number): Promise<{ requests: number; p99: number }> {
  const words = ["-t1", `-c${CLIENTS}`, `-d${seconds}`, "--latency", "-H", "Host: bench.test"];
  const child = Bun.spawn(["wrk", ...words, `http://127.0.0.1:${port}${path}`], { stdout: "pipe" });
  const text = await new Response(child.stdout).text();
  if (text.includes("Non-2xx") || text.includes("Socket errors")) throw new Error(text);
  const [, p99 = "0", unit = "ms"] = /99%\s+([\d.]+)(us|ms|s)/.exec(text) ?? [];
  return {
    requests: Number(/(\d+) requests in/.exec(text)?.[1] ?? 0),
    p99: Number(p99) * ({ us: 0.001, ms: 1, s: 1000 }[unit] ?? 1),
  };
}

/** Clients that asked once and stay. */
async function idle({ name, port, pid }: Contender): Promise<Row> {
  const before = residentMegabytes(pid);
  const sockets: Bun.Socket[] = [];
  let answered = 0;
  for (let count = 0; count < IDLE; count += BATCH) {
    const batch = Array.from({ length: BATCH }, () =>
      Bun.connect({
        hostname: "127.0.0.1",
        port,
        socket: {
          open: (socket) => void socket.write("HEAD /1k HTTP/1.1\r\nHost: bench.test\r\n\r\n"),
          data: () => void answered++,
          error() {},
        },
      }),
    );
    sockets.push(...(await Promise.all(batch)));
    await until(() => answered >= sockets.length, { timeoutMs: 20_000, what: `${name} to answer all` });
  }
  const after = residentMegabytes(pid);
  for (const socket of sockets) socket.terminate();
  return { what: `proxy, 10,000 idle connections: ${name}`, value: after - before, unit: "MB", runs: 1 };
}

const BATCH = 250;

/** Of the process, all its threads; the kernel counts in hundredths of a second. */
function cpuMicroseconds(pid: number): number {
  const fields =
    readFileSync(join("/proc", String(pid), "stat"), "latin1")
      .split(") ")[1]
      ?.split(" ") ?? [];
  return (Number(fields[11]) + Number(fields[12])) * 10_000;
}

async function answers(port: number): Promise<boolean> {
  return fetch(`http://127.0.0.1:${port}/1k`, { headers: { host: "bench.test" } }).then(
    async (answer) => (await answer.text()).length === 1024,
    () => false,
  );
}
