/** `voxeltron deploy --provider podman`, and lxc: services in containers that a plugin makes, behind this machine's addresses. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { freePort, needs, until } from "../harness.ts";
import { imageFor, TOOLS } from "../provider-plugin.ts";
import { makeMachine, type Machine } from "./machine.ts";
import { errorOf, ok } from "./workspace-commands.ts";

interface Service {
  readonly name: string;
  readonly state: string;
  readonly provider: string;
  readonly version: number;
  readonly instance: string | null;
}

const PROVIDERS = [
  ["podman", "podman"],
  ["lxc", "lxc and its bridge"],
] as const;

describe.skipIf(!needs("compiled"))("a service", () => {
  let machine: Machine;
  beforeAll(async () => {
    machine = makeMachine();
    await machine.start();
  });
  afterAll(async () => {
    await machine[Symbol.asyncDispose]();
  });

  for (const [provider, part] of PROVIDERS)
    test.skipIf(!needs(part))(
      `on ${provider} is published, checked, replaced without a gap, and there again after any end`,
      async () => {
        const name = `web-${provider}`;
        const port = freePort();
        const instances = new Set<string>();
        const service = async (): Promise<Service & { readonly instance: string }> => {
          const found = await machine.json<Service>("status", name);
          const instance = found.instance ?? "";
          if (instance !== "") instances.add(instance);
          return { ...found, instance };
        };
        const page = async (): Promise<string | undefined> => await ask(port);
        const isBack = async (): Promise<boolean> => (await page()) === "two\n";
        await ok(machine, "plugin", "install", provider, "--yes");
        try {
          const deploy = ["deploy", name, "--env"];
          const first = ["--provider", provider, "--image", await imageFor(provider), "--command", SERVE];
          const edge = ["--port", "80", "--publish", `127.0.0.1:${port}`, "--health", "/"];
          await ok(machine, ...deploy, "TEXT=one", ...first, ...edge);
          expect(await page()).toBe("one\n");
          expect(await service()).toMatchObject({ state: "running", provider, version: 1 });
          const shell = ["exec", "--data-dir", machine.dataDir, name, "--", "sh", "-c", "echo in; exit 3"];
          expect(await machine.cli(...shell)).toMatchObject({ status: 3, stdout: "in\n" });
          await until(async () => (await machine.cli("logs", name)).stdout.includes("ready one"), {
            timeoutMs: 20_000,
            what: "its log",
          });

          // One that is not healthy takes nobody's place, and nothing of it is left.
          const { instance: before } = await service();
          const sick = ["--health", "/no-such-page", "--health-timeout", "2s"];
          expect(await errorOf(machine, ...deploy, "TEXT=sick", ...sick)).toMatchObject({
            code: "deploy.unhealthy",
          });
          expect([await page(), (await service()).instance]).toEqual(["one\n", before]);
          const attempt = failedInstance(await machine.cli("events", "--hook", "on_deploy_fail", "--json"));
          expect(attempt).toMatchObject({ service: name, provider, rolledBack: true });

          const asked = askOn(port);
          await ok(machine, ...deploy, "TEXT=two", "--health", "/");
          await until(async () => (await page()) === "two\n", { what: "the new version" });
          const answers = await asked.stop();
          expect([...new Set(answers)]).toEqual(["one\n", "two\n"]);
          const { instance } = await service();
          expect(instance).not.toBe(before);
          await until(() => !TOOLS[provider].isThere(before), {
            timeoutMs: 20_000,
            what: "the old one's end",
          });

          // Whoever ends: the container's program, the operator, the daemon.
          const pid = TOOLS[provider].pidOf(instance);
          process.kill(pid, "SIGKILL");
          await until(() => ![0, pid].includes(pidOf(provider, instance)), {
            timeoutMs: 40_000,
            what: "another start",
          });
          await until(isBack, { timeoutMs: 20_000, what: "its answer" });
          await ok(machine, "stop", name);
          expect([await page(), (await service()).state]).toEqual([undefined, "stopped"]);
          await ok(machine, "start", name);
          await until(isBack, { timeoutMs: 20_000, what: "its answer" });
          await machine.end("SIGKILL");
          await machine.start();
          await until(isBack, { timeoutMs: 20_000, what: "its answer" });
          expect(await service()).toMatchObject({ state: "running", instance });

          expect((await errorOf(machine, "plugin", "remove", provider, "--yes")).code).toBe("plugin.in_use");
          await ok(machine, "remove", name, "--yes");
          expect([await page(), TOOLS[provider].isThere(instance)]).toEqual([undefined, false]);
          await ok(machine, "plugin", "remove", provider, "--yes");
        } finally {
          for (const each of instances) TOOLS[provider].remove(each);
        }
      },
      120_000,
    );
});

// --- internal ---

/** Ends at once when it is asked to. */
const SERVE = `sh -c "trap 'exit 0' TERM; mkdir -p /www; echo $TEXT > /www/index.html; httpd -p 80 -h /www; echo ready $TEXT; while :; do sleep 0.05; done"`;

/** Nothing where nobody answers. */
async function ask(port: number): Promise<string | undefined> {
  const request = { signal: AbortSignal.timeout(5_000), headers: { connection: "close" } };
  return fetch(`http://127.0.0.1:${port}/`, request).then(
    (answer) => answer.text(),
    () => undefined,
  );
}

/** Asks again and again; gives all answers. */
function askOn(port: number): { stop(): Promise<(string | undefined)[]> } {
  const answers: (string | undefined)[] = [];
  const over = new AbortController();
  const asking = (async () => {
    while (!over.signal.aborted) answers.push(await ask(port));
  })();
  return {
    async stop() {
      over.abort();
      await asking;
      return answers;
    },
  };
}

/** 0 while it does not run. */
function pidOf(provider: keyof typeof TOOLS, instance: string): number {
  try {
    return TOOLS[provider].pidOf(instance) || 0;
  } catch {
    return 0;
  }
}

function failedInstance({ stdout }: { readonly stdout: string }): unknown {
  const last = stdout.trim().split("\n").at(-1) ?? "{}";
  return (JSON.parse(last) as { data?: unknown }).data;
}
