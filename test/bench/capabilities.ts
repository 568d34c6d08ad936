/**
 * What one call of `ctx` costs a plugin, family by family and room by room, in the compiled daemon with the real thing behind it: a
 * file, a local server, a webhook, the engine. JavaScript measures each call itself; a module makes many in a row, and the mean counts.
 */
import { makeClient } from "../../src/api/client.ts";
import { makeMachine, type Machine } from "../e2e/machine.ts";
import { needs } from "../harness.ts";
import { forwarder } from "../wasm/forwarder.ts";
import { median, quantile, type Row } from "./measure.ts";

const CALLS = 300;
const HOOKS = 20;

/** Method → the parameters of a call. */
function calls(server: string): Readonly<Record<string, object>> {
  return {
    "kv.get": { key: "k" },
    "kv.set": { key: "k", value: 1 },
    "fs.read": { path: "files/x" },
    "secrets.get": { service: "web", name: "TOKEN" },
    "metrics.query": { service: "web", metric: "cpu_percent" },
    "logs.query": { service: "web", limit: 10 },
    "net.fetch": { url: server },
    "notify.send": { channel: "hook", message: "hello" },
    ...(needs("docker") ? { "docker.list": {} } : {}),
  };
}

export async function benchCapabilities(): Promise<Row[]> {
  const server = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: () => new Response("ok") });
  const machine = makeMachine(configuration(server.port ?? 0));
  try {
    const methods = calls(`http://127.0.0.1:${server.port}/`);
    await prepare(machine);
    const rows: Row[] = [];
    for (const isolation of ["worker", "process"] as const)
      rows.push(...(await inJavaScript(machine, isolation, methods)));
    rows.push(...(await inWasm(machine, methods)));
    return rows;
  } finally {
    await machine[Symbol.asyncDispose]();
    await server.stop(true);
  }
}

// --- internal ---

function configuration(port: number): string {
  return `[providers]
default = "process"
[network]
allow_private = ["127.0.0.1:${port}"]
[plugins.quota]
calls_per_second = 1000000
bytes_per_second = 1000000000
notifications_per_minute = 1000000
[notify.hook]
type = "webhook"
url = "http://127.0.0.1:${port}/"
`;
}

const REQUIRED = [
  "fs_read",
  "fs_write",
  "network_outbound",
  "notify_send",
  "secrets_read",
  "metrics_read",
  "logs_read",
  "docker_read",
];

function manifest(name: string, more: string): string {
  return `[plugin]
name = "${name}"
version = "1.0.0"
${more}
[capabilities]
required = ${JSON.stringify(REQUIRED)}
[hooks]
on_alert = true
`;
}

async function prepare(machine: Machine): Promise<void> {
  await machine.start();
  const app = machine.write("app", {
    "index.ts": "for (let i = 0; i < 100; i++) console.log('line ' + i); setInterval(() => {}, 1000);",
  });
  await machine.json("deploy", "web", "--path", app, "--env", "TOKEN=value");
}

async function inJavaScript(
  machine: Machine,
  isolation: "worker" | "process",
  methods: Readonly<Record<string, object>>,
): Promise<Row[]> {
  const name = `bench-${isolation}`;
  const folder = machine.write(name, {
    "plugin.toml": manifest(name, "tier = 2"),
    "index.js": `
      const call = {
        "net.fetch": async (ctx, { url }) => (await fetch(url)).text(),
        "kv.get": (ctx, { key }) => ctx.kv.get(key),
        "kv.set": (ctx, { key, value }) => ctx.kv.set(key, value),
        "fs.read": (ctx, { path }) => ctx.fs.read(path),
        "secrets.get": (ctx, { service, name }) => ctx.secrets.get(service, name),
        "metrics.query": (ctx, params) => ctx.metrics.query(params),
        "logs.query": (ctx, params) => ctx.logs.query(params),
        "notify.send": (ctx, { channel, message }) => ctx.notify.send(channel, message),
        "docker.list": (ctx) => ctx.docker.list(),
      };
      export default {
        async on_alert({ message }, ctx) {
          const { method, params, times } = JSON.parse(message);
          await ctx.fs.write("files/x", "x".repeat(4096));
          const took = [];
          for (let i = 0; i < times; i++) {
            const start = performance.now();
            await call[method](ctx, params);
            took.push(performance.now() - start);
          }
          return took;
        },
      };`,
  });
  await machine.json("plugin", "install", folder, "--yes", "--isolation", isolation);
  const rows: Row[] = [];
  for (const [method, params] of Object.entries(methods)) {
    const times = SLOW.has(method) ? CALLS / 10 : CALLS;
    const took = (await hook(machine, name, { method, params, times })) as number[];
    rows.push(
      { what: `js-${isolation}: ${method}, p50`, value: median(took) * 1000, unit: "µs", runs: took.length },
      {
        what: `js-${isolation}: ${method}, p99`,
        value: quantile(took, 0.99) * 1000,
        unit: "µs",
        runs: took.length,
      },
    );
  }
  return rows;
}

/** Those that cross to somebody else. */
const SLOW: ReadonlySet<string> = new Set(["net.fetch", "notify.send", "docker.list"]);

async function inWasm(machine: Machine, methods: Readonly<Record<string, object>>): Promise<Row[]> {
  const rows: Row[] = [];
  for (const [method, params] of Object.entries(methods)) {
    const times = SLOW.has(method) ? CALLS / 10 : CALLS;
    const name = `bench-${method.replace(".", "-")}`;
    const folder = machine.write(name, { "plugin.toml": manifest(name, "tier = 1") });
    const functions = { on_alert: method.replace(".", "_") };
    await Bun.write(`${folder}/plugin.wasm`, await forwarder(functions, { params, times }));
    await machine.json("plugin", "install", folder, "--yes");
    const means: number[] = [];
    for (let i = 0; i < HOOKS; i++) {
      const start = performance.now();
      await hook(machine, name, {});
      means.push((performance.now() - start) / times);
    }
    rows.push({
      what: `wasm-process: ${method}, mean of ${times} in a row`,
      value: median(means) * 1000,
      unit: "µs",
      runs: HOOKS,
    });
  }
  return rows;
}

async function hook(machine: Machine, name: string, message: object): Promise<unknown> {
  const event = {
    name: "bench",
    state: "firing",
    metric: "m",
    value: 1,
    threshold: 1,
    since: "2026-01-01T00:00:00.000Z",
    message: JSON.stringify(message),
  };
  const { result } = await makeClient(machine.socket).call("plugin.call", { name, hook: "on_alert", event });
  return result;
}
