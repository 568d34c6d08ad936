/** What services use, from the compiled executable: measured, shown, kept over a restart, and offered to Prometheus. */
import { describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { statFields } from "../../src/platform/stat-fields.ts";
import { ensureTestImage, TEST_IMAGE } from "../fixtures/docker-image.ts";
import { rejection } from "../fixtures/rejection.ts";
import { freePort, needs, until } from "../harness.ts";
import { instancesOf, makeMachine, type Machine } from "./machine.ts";

interface Usage {
  readonly at: string;
  readonly cpuPercent: number | null;
  readonly memoryBytes: number;
  readonly memoryLimitBytes: number | null;
  readonly networkRxBytes: number | null;
}
type Listed = { readonly name: string; readonly usage: Usage | null }[];
interface Series {
  readonly unit: string;
  readonly stepMs: number;
  readonly points: [string, number][];
}

const QUICK = '[providers]\ndefault = "process"\n[metrics]\ninterval = "1s"\n';

const usageOf = async (machine: Machine, service: string): Promise<Usage | null> =>
  (await machine.json<Listed>("status")).find(({ name }) => name === service)?.usage ?? null;

async function deploy(
  machine: Machine,
  name: string,
  program: string,
  ...options: readonly string[]
): Promise<void> {
  const folder = machine.write(name, { "index.ts": program });
  await machine.json("deploy", name, "--path", folder, ...options);
}

/** Processor time of all processes of a service, as the kernel has it. */
function kernelSeconds(pids: readonly number[]): number {
  return pids.reduce((total, pid) => {
    const fields = statFields(readFileSync(`/proc/${pid}/stat`, "latin1"));
    return total + (Number(fields[11]) + Number(fields[12])) / 100;
  }, 0);
}

describe.skipIf(!needs("compiled") || !needs("linux"))("metrics", () => {
  test("status shows what works and what sleeps, and the numbers are those of the kernel", async () => {
    await using machine = makeMachine(QUICK);
    await machine.start();
    await deploy(machine, "busy", "for (;;) Math.random();");
    const pids = instancesOf(machine.folder);
    const before = { at: performance.now(), seconds: kernelSeconds(pids) };
    await until(
      async () => ((await machine.json<Series>("metrics", "busy", "--step", "1s")).points.length ?? 0) >= 4,
      {
        timeoutMs: 30_000,
        what: "a few looks",
      },
    );
    const spent = (kernelSeconds(pids) - before.seconds) / ((performance.now() - before.at) / 1000);
    const { unit, points } = await machine.json<Series>("metrics", "busy", "--step", "1s");
    const mean = points.reduce((sum, [, value]) => sum + value, 0) / points.length;
    expect(unit).toBe("percent");
    // 100 on a machine with nothing else to do; what the kernel gave it on this one.
    expect(Math.abs(mean - spent * 100)).toBeLessThan(30);

    await deploy(machine, "idle", "setInterval(() => {}, 60_000);");
    const idle = await until(
      async () => {
        const usage = await usageOf(machine, "idle");
        return usage?.cpuPercent === undefined || usage.cpuPercent === null ? undefined : usage;
      },
      { timeoutMs: 30_000, what: "two looks at the other" },
    );
    expect(idle.memoryBytes).toBeGreaterThan(2 ** 20);
    const text = (await machine.cli("status")).stdout;
    expect(text).toMatch(/^NAME +STATE +PROVIDER +IMAGE +VERSION +ADDRESS +CPU +MEMORY\n/);
    expect(text).toMatch(/^busy .* \d+\.\d % +\d+(\.\d)? MiB$/m);
    expect((await machine.cli("status", "busy")).stdout).toMatch(
      /^uses cpu: +\d+\.\d %\ncpu time: +.*\nuses memory: +.* MiB\nblock I\/O: /m,
    );
    await machine.json("stop", "idle");
    expect(await usageOf(machine, "idle")).toBeNull();
  }, 120_000);

  test("what was measured is there after a restart, and after a kill", async () => {
    await using machine = makeMachine(QUICK);
    await machine.start();
    await deploy(machine, "web", "setInterval(() => {}, 60_000);");
    const points = async () =>
      (await machine.json<Series>("metrics", "web", "-m", "memory_bytes", "--step", "1s")).points;
    let before: [string, number][] = [];
    for (const signal of ["SIGTERM", "SIGKILL"] as const) {
      before = await until(
        async () => {
          const now = await points();
          return now.length >= before.length + 2 ? now : undefined;
        },
        { timeoutMs: 30_000, what: "more points" },
      );
      await machine.end(signal);
      await machine.start();
      expect((await points()).slice(0, before.length)).toEqual(before);
    }
    await until(async () => (await points()).length > before.length, { timeoutMs: 30_000 });
    const host = await machine.json<Series>("metrics", "--metric", "memory_bytes");
    expect(host.points.length).toBeGreaterThan(0);
  }, 120_000);

  test("a question that can't be answered says why", async () => {
    await using machine = makeMachine(QUICK);
    await machine.start();
    await deploy(machine, "web", "setInterval(() => {}, 60_000);");
    const refusal = async (...words: readonly string[]) => {
      const { status, stderr } = await machine.cli("metrics", ...words);
      return `${status} ${stderr}`;
    };
    expect(await refusal("wep")).toBe('4 error: no service is called "wep"\nhint: did you mean web?\n');
    expect(await refusal("web", "-m", "memory")).toContain('4 error: no metric is called "memory"\n');
    expect(await refusal("web", "--from", "1h", "--to", "2h")).toMatch(
      /^2 error: from .* should be before to/,
    );
    expect(await refusal("web", "--from", "6h", "--step", "1s")).toContain(
      "that would be 21600 points, at most 5000 are given",
    );
  }, 60_000);

  test.skipIf(!needs("promtool"))(
    "promtool finds nothing to say about what is offered",
    async () => {
      const [port, other] = [freePort(), freePort()];
      const listening = (at: number) => `${QUICK}listen = "127.0.0.1:${at}"\n`;
      await using machine = makeMachine(listening(port));
      await machine.start();
      await deploy(machine, "web", "setInterval(() => {}, 60_000);");
      const scrape = async (at: number) => (await fetch(`http://127.0.0.1:${at}/metrics`)).text();
      const text = await until(
        async () => {
          const found = await scrape(port);
          return found.includes('voxeltron_service_cpu_seconds_total{service="web"') ? found : undefined;
        },
        { timeoutMs: 30_000, what: "the service" },
      );
      for (const line of [
        'voxeltron_deliveries{state="dead"} 0',
        'voxeltron_plugins{state="enabled"} 0',
        "voxeltron_events_total 2",
      ])
        expect(text).toContain(`${line}\n`);
      const check = Bun.spawn(["promtool", "check", "metrics"], {
        stdin: new Blob([text]),
        stdout: "pipe",
        stderr: "pipe",
      });
      const said = await new Response(check.stdout).text();
      expect(`${said}${await new Response(check.stderr).text()}`).toBe("");
      expect(await check.exited).toBe(0);

      machine.configure(listening(other));
      process.kill(machine.pid(), "SIGHUP");
      await until(async () => scrape(other).catch(() => undefined), { what: "the new address" });
      expect(await rejection(scrape(port))).toBeInstanceOf(Error);
    },
    60_000,
  );

  test("an address that is taken keeps the daemon from starting, and it says so", async () => {
    const taken = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
    try {
      await using machine = makeMachine(`${QUICK}listen = "127.0.0.1:${taken.port}"\n`);
      expect(await rejection(machine.start())).toMatchObject({
        message: expect.stringContaining(
          `the metrics can't be offered at 127.0.0.1:${taken.port}: another program listens there`,
        ),
      });
    } finally {
      taken.stop(true);
    }
  }, 30_000);
});

describe.skipIf(!needs("compiled") || !needs("docker"))("metrics of containers", () => {
  test("have memory, limit and network, and a plugin may ask for them where it was granted", async () => {
    await ensureTestImage();
    await using machine = makeMachine('[metrics]\ninterval = "1s"\n');
    await machine.start();
    try {
      await machine.json(
        "deploy",
        "web",
        "--image",
        TEST_IMAGE,
        "--command",
        "httpd -f -p 8080 -h /",
        "--port",
        "8080",
        "--memory",
        "64m",
      );
      const usage = await until(
        async () => {
          const found = await usageOf(machine, "web");
          return found?.cpuPercent === undefined || found.cpuPercent === null ? undefined : found;
        },
        { timeoutMs: 30_000, what: "two looks" },
      );
      expect(usage).toMatchObject({ memoryLimitBytes: 64 * 2 ** 20 });
      expect(usage.memoryBytes).toBeGreaterThan(0);
      expect(usage.networkRxBytes).toBeGreaterThan(0);

      const plugin = machine.write("watch", {
        "plugin.toml":
          '[plugin]\nname = "watch"\nversion = "1.0.0"\ntier = 2\n[capabilities]\nrequired = ["metrics_read"]\n[hooks]\non_alert = true\n',
        "index.ts": `export default {
          async on_alert(event, ctx) {
            const web = await ctx.metrics.query({ service: "web", metric: "memory_bytes", step: "1s" });
            const host = await ctx.metrics.query({ metric: "load1" }).catch((error) => error.code);
            return [web.unit, web.points.length > 0, typeof host === "string" ? host : host.unit];
          },
        };`,
      });
      const call = async () =>
        (await machine.json<{ result: unknown }>("plugin", "call", "watch", "on_alert")).result;
      await machine.json("plugin", "install", plugin, "--yes");
      expect(await call()).toEqual(["bytes", true, "load"]);
      await machine.json("plugin", "grant", "watch", "metrics_read=web");
      expect(await call()).toEqual(["bytes", true, "capability.out_of_scope"]);
    } finally {
      await machine.cli("remove", "web", "--yes");
    }
  }, 120_000);

  test("of an engine that hangs are missing, and all others are there", async () => {
    const folder = mkdtempSync(join(tmpdir(), "voxeltron-engine-"));
    const socket = join(folder, "engine.sock");
    await ensureTestImage();
    using engine = standBetween(socket);
    const held = Array.from({ length: 6 }, (_, index) => `held-${process.pid}-${index}`);
    try {
      await using machine = makeMachine(
        `[docker]\nsocket = ${JSON.stringify(socket)}\n[metrics]\ninterval = "1s"\n`,
      );
      await machine.start();
      await Promise.all(
        held.map((name) => machine.json("deploy", name, "--image", TEST_IMAGE, "--command", "sleep 1000")),
      );
      await deploy(machine, "free", "setInterval(() => {}, 60_000);", "--provider", "process");
      const newest = async (service: string) => {
        const about = ["metrics", service, "-m", "memory_bytes", "--from", "5s", "--step", "1s"];
        return (await machine.json<Series>(...about)).points.length;
      };
      for (const name of held)
        await until(async () => (await newest(name)) > 0, { timeoutMs: 30_000, what: `numbers of ${name}` });

      engine.hang(true);
      await until(async () => (await newest(held[0] ?? "")) === 0, {
        timeoutMs: 30_000,
        what: "the end of the hung ones' numbers",
      });
      // It hangs for as long as it was asked, and the other was measured all the time.
      expect(await newest("free")).toBeGreaterThanOrEqual(3);
      const began = performance.now();
      await machine.json("daemon", "info");
      expect(performance.now() - began).toBeLessThan(2_000);
      const complaints = () => machine.log().split("an instance can't be measured").length - 1;
      await until(() => complaints() > 0, { timeoutMs: 10_000, what: "a line in the log" });
      expect(complaints()).toBe(1);

      engine.hang(false);
      for (const name of held)
        await until(async () => (await newest(name)) > 0, { timeoutMs: 30_000, what: `${name} again` });
    } finally {
      for (const name of held) removeContainers(name);
      rmSync(folder, { recursive: true, force: true });
    }
  }, 180_000);
});

/** Between the daemon and the real engine: it can stop passing on. */
function standBetween(socket: string): Disposable & { hang(hung: boolean): void } {
  let isHung = false;
  const server = Bun.listen<{ upstream?: Bun.Socket }>({
    unix: socket,
    socket: {
      async open(client) {
        client.pause();
        const upstream = await Bun.connect({
          unix: "/var/run/docker.sock",
          socket: { data: (_, bytes) => void client.write(bytes), close: () => void client.end() },
        });
        client.data = { upstream };
        client.resume();
      },
      data(client, bytes) {
        if (!isHung) client.data.upstream?.write(bytes);
      },
      close: (client) => void client.data?.upstream?.end(),
    },
  });
  return {
    hang: (hung) => void (isHung = hung),
    [Symbol.dispose]: () => server.stop(true),
  };
}

function removeContainers(service: string): void {
  const filter = `label=voxeltron.service=${service}`;
  const ids = Bun.spawnSync(["docker", "ps", "-aq", "--filter", filter]).stdout.toString().split("\n");
  Bun.spawnSync(["docker", "rm", "-f", ...ids.filter((id) => id !== "")], {
    stdout: "ignore",
    stderr: "ignore",
  });
}
