/** The reverse proxy of the compiled executable, before services that it deploys. */
import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync, renameSync } from "node:fs";
import { join } from "node:path";
import { rejection } from "../fixtures/rejection.ts";
import { freePort, needs, until } from "../harness.ts";
import { makeMachine, type Machine } from "./machine.ts";

const configured = (proxy: string): string =>
  `log_format = "json"\n[providers]\ndefault = "process"\n[proxy]\n${proxy}\n`;

const server = (text: string): string => `
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: Number(process.env.PORT),
    fetch: async (request) => {
      const { pathname } = new URL(request.url);
      if (pathname === "/slow") await Bun.sleep(300);
      if (pathname === "/headers") return Response.json(Object.fromEntries(request.headers));
      if (request.method === "POST") return new Response(String((await request.bytes()).length));
      return new Response(${JSON.stringify(text)} + " " + pathname);
    },
  });
  process.on("SIGTERM", () => void server.stop());
`;

async function deploy(machine: Machine, name: string, text: string, ...options: string[]): Promise<void> {
  const folder = machine.write(`${name}-${text}`, { "index.ts": server(text) });
  await machine.json("deploy", name, "--path", folder, "--port", "3000", ...options);
}

async function ask(port: number, host: string, path = "/"): Promise<string> {
  const answer = await fetch(`http://127.0.0.1:${port}${path}`, {
    headers: { host },
    redirect: "manual",
    keepalive: false,
  });
  return `${answer.status} ${(await answer.text()).trim()}`;
}

describe.skipIf(!needs("compiled") || !needs("linux"))("the proxy", () => {
  test("hosts and paths lead to services through their whole life", async () => {
    const port = freePort();
    await using machine = makeMachine(configured(`http = "127.0.0.1:${port}"`));
    await machine.start();
    await deploy(machine, "web", "web", "--domain", "App.test", "--domain", "*.app.test");
    await deploy(machine, "api", "api", "--domain", "app.test/api");
    expect(await ask(port, "app.test", "/x")).toBe("200 web /x");
    expect(await ask(port, "some.APP.test", "/api")).toBe("200 web /api");
    expect(await ask(port, "app.test", "/api/x")).toBe("200 api /api/x");
    expect(await ask(port, "no.test")).toStartWith("404 ");
    const headers = await fetch(`http://127.0.0.1:${port}/headers`, {
      headers: { host: "app.test", "x-forwarded-for": "6.6.6.6" },
    }).then((answer) => answer.json() as Promise<Record<string, string>>);
    expect(headers).toMatchObject({ "x-forwarded-for": "127.0.0.1", "x-forwarded-host": "app.test" });

    const taken = await machine.cli(
      "deploy",
      "other",
      "--path",
      join(machine.folder, "api-api"),
      "--domain",
      "app.test",
    );
    expect(taken.stderr).toContain("the domain app.test belongs to service web");
    await machine.json("stop", "api");
    expect(await ask(port, "app.test", "/api")).toStartWith("503 ");
    await machine.json("start", "api");
    expect(await ask(port, "app.test", "/api")).toBe("200 api /api");
    await machine.end("SIGKILL");
    await machine.start();
    expect(await ask(port, "app.test", "/api")).toBe("200 api /api");
    await machine.json("remove", "api", "--yes");
    expect(await ask(port, "app.test", "/api")).toBe("200 web /api");
    expect((await machine.cli("deploy", "--help")).stdout).toContain("name under which the proxy answers");
  }, 120_000);

  test("no request fails while versions are switched, kept alive or not, short or slow, with bodies", async () => {
    const port = freePort();
    await using machine = makeMachine(configured(`http = "127.0.0.1:${port}"`));
    await machine.start();
    await deploy(machine, "web", "v1", "--domain", "app.test");
    const answers = new Map<string, number>();
    const stop = new AbortController();
    const note = (answer: string): void => void answers.set(answer, (answers.get(answer) ?? 0) + 1);
    const visit = async (index: number): Promise<void> => {
      const path = index % 4 === 0 ? "/slow" : "/";
      const init = {
        headers: { host: "app.test" },
        keepalive: index % 2 === 0,
        ...(index % 4 === 1 ? { method: "POST", body: "x".repeat(10_000) } : {}),
      };
      while (!stop.signal.aborted)
        note(
          await fetch(`http://127.0.0.1:${port}${path}`, init).then(
            async (answer) => `${answer.status} ${await answer.text()}`,
            (error: Error) => `failed: ${error.message}`,
          ),
        );
    };
    const visitors = Array.from({ length: 12 }, (_, index) => visit(index));
    for (const version of ["v2", "v3", "v4", "v5"]) {
      await deploy(machine, "web", version);
      await until(() => answers.has(`200 ${version} /`), { timeoutMs: 10_000, what: version });
    }
    stop.abort();
    await Promise.all(visitors);
    const failed = [...answers.keys()].filter((answer) => !/^200 (?:v\d \/(?:slow)?|10000)$/.test(answer));
    expect(failed).toEqual([]);
    expect([...answers.values()].reduce((sum, count) => sum + count, 0)).toBeGreaterThan(500);
  }, 120_000);

  test("a reload moves the proxy and its log, and an address that can't be had is an error at the start", async () => {
    const [first, second, third] = [freePort(), freePort(), freePort()];
    await using machine = makeMachine(configured(`http = "127.0.0.1:${first}"`));
    await machine.start();
    await deploy(machine, "web", "web", "--domain", "app.test");
    expect(await ask(first, "app.test")).toBe("200 web /");
    const log = join(machine.folder, "access.log");
    machine.configure(configured(`http = "127.0.0.1:${second}"\naccess_log = "${log}"`));
    process.kill(machine.pid(), "SIGHUP");
    await until(() => ask(second, "app.test", "/a?token=secret").catch(() => undefined));
    expect(await ask(first, "app.test").catch(() => "gone")).toBe("gone");
    const lines = await until(() => (existsSync(log) ? readFileSync(log, "utf8") : undefined));
    expect(JSON.parse(lines.split("\n")[0] ?? "")).toMatchObject({
      path: "/a",
      status: 200,
      service: "web",
      host: "app.test",
    });
    expect(lines).not.toContain("secret");
    renameSync(log, `${log}.1`);
    await ask(second, "app.test", "/b");
    await until(() => existsSync(log));

    const other = Bun.listen({ hostname: "127.0.0.1", port: third, socket: { data() {} } });
    machine.configure(configured(`http = "127.0.0.1:${third}"`));
    process.kill(machine.pid(), "SIGHUP");
    await until(() => machine.log().includes("the proxy can't move to its new address"));
    expect(await ask(second, "app.test")).toBe("200 web /");
    expect(await machine.end()).toBe(0);
    expect(String(await rejection(machine.start()))).toContain(
      `the proxy can't listen at 127.0.0.1:${third}`,
    );
    machine.configure(configured(`http = "127.0.0.1:${first}"\nhttps = "127.0.0.1:${third}"`));
    expect(String(await rejection(machine.start()))).toContain(
      `the proxy can't listen at 127.0.0.1:${third}`,
    );
    other.stop(true);
  }, 120_000);
});
