import { expect, test } from "bun:test";
import { chmod } from "node:fs/promises";
import { planRun, type RunWish } from "../../../../../src/engine/providers/process/run-plan.ts";
import { rejection } from "../../../../fixtures/rejection.ts";
import { tempDir } from "../../../../harness.ts";

const wish: RunWish = { id: "vx-web-1-00000000", command: null, env: {}, hostPort: 4001 };

async function folder(files: Record<string, string>) {
  const dir = tempDir();
  for (const [name, text] of Object.entries(files)) await Bun.write(`${dir.path}/${name}`, text);
  return dir;
}

test("the environment is given in full and holds nothing of ours", async () => {
  await using dir = await folder({ "index.ts": "" });
  process.env["PLAN_TEST_SECRET"] = "x";
  const { env, cwd } = await planRun(dir.path, {
    ...wish,
    env: { A: "1", PORT: "9", VOXELTRON_INSTANCE: "other" },
  });
  delete process.env["PLAN_TEST_SECRET"];
  expect(cwd).toBe(dir.path);
  expect(env).toEqual({
    PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    HOME: dir.path,
    A: "1",
    PORT: "4001",
    BUN_BE_BUN: "1",
    VOXELTRON_INSTANCE: "vx-web-1-00000000",
  });
});

test("a workspace's ports are variables, and the first of them is PORT", async () => {
  await using dir = await folder({});
  const ports = [
    { key: "8080", inside: 8080, outside: 8080 },
    { key: "web-ui", inside: 9000, outside: 9000 },
  ];
  const { env } = await planRun(dir.path, { ...wish, command: ["sh"], hostPort: undefined, ports });
  expect(env).toMatchObject({ PORT: "8080", PORT_8080: "8080", PORT_WEB_UI: "9000" });
});

test("secrets go over plain variables, and under what is ours", async () => {
  await using dir = await folder({ "index.ts": "" });
  const { env } = await planRun(dir.path, {
    ...wish,
    env: { A: "plain", B: "plain" },
    secrets: { A: "secret", PORT: "9", VOXELTRON_INSTANCE: "other" },
  });
  expect(env).toMatchObject({
    A: "secret",
    B: "plain",
    PORT: "4001",
    VOXELTRON_INSTANCE: "vx-web-1-00000000",
  });
});

test("without a port of ours the service's own PORT stays", async () => {
  await using dir = await folder({ "index.ts": "" });
  const { env } = await planRun(dir.path, { ...wish, hostPort: null, env: { PORT: "9" } });
  expect(env["PORT"]).toBe("9");
});

test.each([
  [{ "index.ts": "" }, ["run", "--no-install", "./index.ts"]],
  [{ "index.js": "" }, ["run", "--no-install", "./index.js"]],
  [{ "index.ts": "", "index.js": "" }, ["run", "--no-install", "./index.ts"]],
  [{ "index.ts": "", "package.json": "{}" }, ["run", "--no-install", "./index.ts"]],
  [
    { "index.ts": "", "src/a.ts": "", "package.json": '{"main":"src/a.ts"}' },
    ["run", "--no-install", "./src/a.ts"],
  ],
  [{ "index.ts": "", "package.json": '{"scripts":{"start":"bun a.ts"}}' }, ["run", "start"]],
] as const)("%j needs no other runtime than this executable", async (files, args) => {
  await using dir = await folder(files);
  expect((await planRun(dir.path, wish)).command).toEqual([process.execPath, ...args]);
});

test("a command is looked for in the folder first, then in the system's places", async () => {
  await using dir = await folder({ ls: "#!/bin/sh\n" });
  const command = ["ls", "-l", "a b"];
  expect((await planRun(dir.path, { ...wish, command })).command[0]).toMatch(/^\/(usr\/)?bin\/ls$/);
  await chmod(`${dir.path}/ls`, 0o755);
  const plan = await planRun(dir.path, { ...wish, command });
  expect(plan.command).toEqual([`${dir.path}/ls`, "-l", "a b"]);
  expect(plan.env).not.toHaveProperty("BUN_BE_BUN");
  expect((await planRun(dir.path, { ...wish, command: ["./ls"] })).command).toEqual([`${dir.path}/ls`]);
});

test("bun is this executable where the machine has none in the system's places", async () => {
  await using dir = await folder({});
  const { command } = await planRun(dir.path, { ...wish, command: ["bun", "server.ts"] });
  expect(command[0]).toMatch(/bun/);
  expect(command.slice(1)).toEqual(["server.ts"]);
});

test("what a script calls bun is found after all of the system's places, and only where this executable is asked to be it", async () => {
  await using dir = await folder({ "index.ts": "" });
  const path = async (command: string[] | null) =>
    (await planRun(dir.path, { ...wish, command }, "/tools")).env["PATH"];
  expect(await path(null)).toMatch(/^\/usr\/local\/sbin:.*:\/bin:\/tools$/);
  expect(await path(["ls"])).not.toContain("/tools");
});

test("what can't be run is named, with advice", async () => {
  await using dir = await folder({ tool: "x" });
  const invalid = (command: string[] | null) => rejection(planRun(dir.path, { ...wish, command }));
  expect(await invalid(null)).toMatchObject({
    code: "service.invalid",
    hint: expect.stringContaining("--command"),
  });
  expect(await invalid(["tool"])).toMatchObject({
    code: "service.invalid",
    hint: expect.stringContaining("chmod"),
  });
  expect(await invalid(["no-such"])).toMatchObject({ code: "service.invalid" });
  await Bun.write(`${dir.path}/package.json`, "{");
  expect(await invalid(null)).toMatchObject({
    code: "service.invalid",
    message: expect.stringContaining("package.json"),
  });
});
