/**
 * Classes of holes that programs of this kind had, one test a class, named after one of them. Each asserts the refusal and that nothing
 * happened, and has a control that shows that the test would have seen it.
 */
import { describe, expect, test } from "bun:test";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { operations } from "../../src/api/operations.ts";
import { serveApi } from "../../src/api/server.ts";
import type { Handlers } from "../../src/api/handlers.ts";
import { systemClock } from "../../src/base/clock.ts";
import { silentLog } from "../../src/base/log.ts";
import { openToGroup } from "../../src/daemon/listener.ts";
import { makeCatalogue } from "../../src/host/capabilities/catalogue.ts";
import { CAPABILITY_NAMES, isCapability } from "../../src/sdk/index.ts";
import { makePluginKvRows } from "../../src/state/plugin-kv.ts";
import { openDatabase } from "../../src/state/database.ts";
import { codeOf } from "../fixtures/rejection.ts";
import { needs, tempDir } from "../harness.ts";
import {
  eventOf,
  filesOf,
  installSample,
  makeWorld,
  samplePlugin,
  withWorld,
} from "../integration/host/world.ts";
import { recordPowers } from "../matrix/powers.ts";
import { ROWS } from "../matrix/rows.ts";
import { brokerWith } from "./cve/broker.ts";
import { setCanary } from "./cve/canary.ts";
import { startDaemon } from "./cve/daemon.ts";
import { fillSchema } from "./cve/fill-schema.ts";

const OPERATIONS = Object.keys(operations) as (keyof typeof operations)[];

describe("CVE-2026-45628, CVE-2026-27130, CVE-2026-45662: a name reaches no shell", () => {
  const PAYLOADS = ["; CMD", "$(CMD)", "`CMD`", "| CMD", "&& CMD", "\nCMD\n", "' ; CMD ; '", '" ; CMD ; "'];

  test("whatever an operation is given, in whatever field", async () => {
    await using dir = tempDir();
    await using daemon = await startDaemon(dir.path);
    const mark = join(dir.path, "mark");
    for (const payload of PAYLOADS)
      for (const operation of OPERATIONS) {
        const text = `a${payload.replaceAll("CMD", `touch ${mark}`)}`;
        for (const choice of [0, 1, 3])
          await daemon.ask(operation, fillSchema(operations[operation].input, text, choice));
        expect(`${operation}: ${existsSync(mark)}`).toBe(`${operation}: false`);
      }
  }, 120_000);

  test("nor is it one that is deployed, logged in to or out of", async () => {
    await using dir = tempDir();
    await using daemon = await startDaemon(dir.path);
    const mark = join(dir.path, "mark");
    for (const payload of PAYLOADS) {
      const text = `a${payload.replaceAll("CMD", `touch ${mark}`)}`;
      const answers = [
        await daemon.ask("deploy.run", { service: text, image: "alpine", provider: "docker" }),
        await daemon.ask("deploy.run", { service: "web", image: text, provider: "docker" }),
        await daemon.ask("deploy.run", {
          service: "web",
          image: "alpine",
          provider: "docker",
          domains: [text],
        }),
        await daemon.ask("deploy.run", {
          service: "web",
          image: "alpine",
          provider: "docker",
          volumes: [`${text}:/a`],
        }),
        await daemon.ask("registry.login", { host: text, username: "a", password: "b" }),
        await daemon.ask("registry.logout", { host: text }),
      ];
      for (const said of answers) expect(said).toMatch(/"code":"[a-z]+\.[a-z_]+"/);
      expect(existsSync(mark)).toBe(false);
    }
  });

  test.each(PAYLOADS)("control: a shell that is given %j does it", async (payload) => {
    await using dir = tempDir();
    const mark = join(dir.path, "mark");
    const text = payload.replaceAll("CMD", `touch ${mark}`);
    const quoting = /^['"]/.exec(payload)?.[0] ?? "";
    Bun.spawnSync(["sh", "-c", `echo ${quoting}a${text}${quoting}`], { stderr: "ignore" });
    expect(existsSync(mark)).toBe(true);
  });
});

describe("CVE-2026-45632, CVE-2026-43917: no operation is open to who may not open the socket", () => {
  test.skipIf(!needs("root"))(
    "every one of them is refused to a user outside the group, and none is begun",
    async () => {
      await using dir = tempDir();
      // Open to everybody, so that only the socket itself stands in the way.
      const folder = join("/var/tmp", `voxeltron-cve-${process.pid}`);
      mkdirSync(folder, { mode: 0o755 });
      const socket = join(folder, "s");
      const begun: string[] = [];
      const note = (name: string) => () => {
        begun.push(name);
        return {};
      };
      const handlers = new Proxy({}, { get: (_target, name: string) => note(name) }) as Handlers;
      const upload = async () => {
        begun.push("upload");
        return { upload: "1", files: 0, bytes: 0 };
      };
      const server = openToGroup(socket, () =>
        serveApi({ socket, handlers, upload, clock: systemClock, log: silentLog, redact: (text) => text }),
      );
      try {
        const all = [...OPERATIONS, "upload?kind=app"];
        const child = (uid: number) =>
          Bun.spawn([process.execPath, join(import.meta.dir, "cve/outsider.ts"), socket, `${uid}`, ...all], {
            cwd: dir.path,
            env: { PATH: process.env["PATH"] ?? "" },
            stderr: "inherit",
          });
        const endings = async (uid: number) =>
          JSON.parse(await new Response(child(uid).stdout).text()) as Record<string, string>;
        expect(statSync(socket).mode & 0o777).toBe(0o660);
        expect(statSync(socket).uid).toBe(0);
        expect(await endings(65_534)).toEqual(Object.fromEntries(all.map((name) => [name, "EACCES"])));
        expect(begun).toEqual([]);
        // The control: who may open it is answered.
        expect(await endings(0)).toEqual(Object.fromEntries(all.map((name) => [name, "answered"])));
      } finally {
        await server.stop(100);
        rmSync(folder, { recursive: true, force: true });
      }
    },
  );
});

describe("CVE-2026-48742, CVE-2025-64423: every method looks at the grant, and none shows what is another's", () => {
  const methods = makeCatalogue(recordPowers().powers);

  for (const { name, anyOf } of methods.filter((method) => method.anyOf.length > 0))
    test(`${name} is denied without ${anyOf.join(" or ")}, whatever else is granted`, async () => {
      const { params, powers, looks } = ROWS[name] ?? {};
      const behind = makeCatalogue(recordPowers(powers, looks).powers);
      const others = CAPABILITY_NAMES.filter((each) => !anyOf.includes(each));
      for (const grants of [[], others]) {
        for (const requested of [[], CAPABILITY_NAMES]) {
          const scene = brokerWith(behind, grants, requested);
          expect(await codeOf(scene.invoke(name, params))).toBe("capability.denied");
          expect(scene.ran).toEqual([]);
        }
      }
      const open = brokerWith(behind, anyOf.filter(isCapability), CAPABILITY_NAMES);
      expect(await codeOf(open.invoke(name, params))).toBe("ok");
      expect(open.ran).toEqual([name]);
    });

  test("what one plugin keeps, another neither reads, lists nor removes", async () => {
    const keyValues = makePluginKvRows(openDatabase(":memory:"));
    const own = makeCatalogue(recordPowers({ keyValues: { value: keyValues } }).powers);
    const [mine, theirs] = [brokerWith(own, [], [], "mine"), brokerWith(own, [], [], "theirs")];
    await mine.invoke("kv.set", { key: "invitation", value: "secret" });
    expect(await theirs.invoke("kv.get", { key: "invitation" })).toBeUndefined();
    expect(await theirs.invoke("kv.list", {})).toEqual([]);
    await theirs.invoke("kv.delete", { key: "invitation" });
    expect(await mine.invoke("kv.get", { key: "invitation" })).toBe("secret");
  });
});

describe("GHSA-rrmm-9v76-h3p4: what is on no list is not allowed", () => {
  const methods = makeCatalogue(recordPowers().powers);
  const real = methods.map(({ name }) => name);
  const names = [
    "docker.raw",
    "docker.containers/json",
    "containers/json",
    "/v1.41/containers/json",
    "net.socket",
    "__proto__",
    "constructor",
    "toString",
    "",
    "*",
    ...real.flatMap((name) => [
      `${name} `,
      `${name}\0`,
      `${name}/../x`,
      `./${name}`,
      name.toUpperCase(),
      name.replace(".", "/"),
      name.replace(".", "_"),
    ]),
  ].filter((name) => !real.includes(name));

  test("a method with another name is unknown, also to a plugin that has every grant", async () => {
    const scene = brokerWith(methods, CAPABILITY_NAMES, CAPABILITY_NAMES);
    for (const name of names)
      expect([name, await codeOf(scene.invoke(name, {}))]).toEqual([name, "capability.unknown_method"]);
    expect(scene.ran).toEqual([]);
    await scene.invoke("kv.get", { key: "a" });
    expect(scene.ran).toEqual(["kv.get"]);
  });

  test("an operation with another name is unknown, and none is begun", async () => {
    await using dir = tempDir();
    const socket = join(dir.path, "s");
    const begun: string[] = [];
    const handlers = new Proxy({}, { get: (_t, name: string) => () => (begun.push(name), {}) }) as Handlers;
    const upload = async () => ({ upload: "1", files: 0, bytes: 0 });
    const server = serveApi({
      socket,
      handlers,
      upload,
      clock: systemClock,
      log: silentLog,
      redact: (text) => text,
    });
    const ask = async (path: string) =>
      (await fetch(`http://voxeltron/v1/${path}`, { unix: socket, method: "POST", body: "{}" })).status;
    try {
      const strange = [
        "plugin.raw",
        "__proto__",
        "constructor",
        "PLUGIN.LIST",
        "plugin.list%00",
        "x/plugin.list",
      ];
      for (const name of strange) expect([name, await ask(name)]).toEqual([name, 404]);
      expect(begun).toEqual([]);
      expect(await ask("plugin.list")).toBe(200);
    } finally {
      await server.stop(100);
    }
  });
});

describe("CVE-2026-35204, CVE-2026-35205: a manifest names no path, and what can't be verified does not run", () => {
  const NAMES = [
    "../x",
    "a/../../x",
    "..",
    ".",
    "/etc/x",
    "a/b",
    String.raw`a\..\x`,
    "a\0b",
    "%2e%2e",
    "a..b",
    "A",
  ];
  const VERSIONS = [
    "1.0.0/../../x",
    "../1.0.0",
    "1.0.0/../x",
    "/etc",
    "1.0.0-a/../..",
    "1.0.0+b/../..",
    "1.0.0\0",
  ];

  test("a name or version that climbs is refused, and nothing is written anywhere", async () => {
    await using dir = tempDir();
    const world = makeWorld(join(dir.path, "a/b/data"));
    try {
      const before = filesBelow(dir.path);
      const manifests = [
        ...NAMES.map((name) => toml(name, "1.0.0")),
        ...VERSIONS.map((each) => toml("a", each)),
      ];
      for (const manifest of manifests) {
        const files = filesOf({ "plugin.toml": manifest, "index.ts": "handles:on_alert" });
        expect([manifest, await codeOf(installSample(world, files))]).toEqual([manifest, "manifest.invalid"]);
      }
      expect(filesBelow(dir.path)).toEqual(before);
      await installSample(
        world,
        filesOf({ "plugin.toml": toml("a", "1.0.0"), "index.ts": "handles:on_alert" }),
      );
      expect(filesBelow(dir.path)).not.toEqual(before);
    } finally {
      await world.close();
    }
  });

  test("the missing half of a check is a failure: without its bundle, its folder or its record nothing runs", () =>
    withWorld(async (world) => {
      await installSample(world, samplePlugin());
      const run = () =>
        codeOf(world.plugins.run("sample", "on_deploy_success", eventOf("on_deploy_success")));
      expect(await run()).toBe("ok");
      const folder = join(world.dataDir, "packages/sample");
      const [digest = ""] = readdirSync(folder);
      await world.plugins.disable("sample");
      rmSync(join(folder, digest, "bundle.js"));
      expect(await codeOf(world.plugins.enable("sample"))).toBe("plugin.tampered");
      world.deps.rows.remove("sample");
      const { opened } = world.rooms;
      expect(await run()).not.toBe("ok");
      expect(world.rooms.opened).toBe(opened);
    }));
});

describe("tailscale PR #20378: the daemon opens nothing for a client that only names it", () => {
  test("no operation reads, writes or calls what it is given a path to", async () => {
    await using dir = tempDir();
    await using canary = await setCanary(dir.path);
    await using daemon = await startDaemon(dir.path);
    for (const operation of OPERATIONS)
      for (const path of [
        canary.file,
        canary.folder,
        canary.socket,
        `unix://${canary.socket}`,
        `file://${canary.file}`,
      ])
        for (const choice of SOURCES_BUT_LINK) {
          const text = await daemon.ask(operation, fillSchema(operations[operation].input, path, choice));
          expect(`${operation}: ${text.includes(canary.secret)}`).toBe(`${operation}: false`);
        }
    expect(canary.touched()).toEqual([]);
  }, 60_000);

  test("control: a link is read, as its name says, and nothing beside it", async () => {
    await using dir = tempDir();
    await using canary = await setCanary(dir.path);
    await using daemon = await startDaemon(dir.path);
    const folder = join(dir.path, "linked");
    const file = join(folder, "index.js");
    mkdirSync(folder);
    writeFileSync(join(folder, "plugin.toml"), toml("linked", "1.0.0"));
    writeFileSync(file, "export default { on_alert() {} };");
    symlinkSync(canary.file, join(folder, "more.js"));
    utimesSync(file, new Date(0), new Date());
    expect(await daemon.ask("plugin.inspect", { source: { link: folder } })).toContain("upload.invalid");
    rmSync(join(folder, "more.js"));
    expect(await daemon.ask("plugin.inspect", { source: { link: folder } })).toContain('"name":"linked"');
    expect(statSync(file).atimeMs).toBeGreaterThan(0);
    expect(canary.touched()).toEqual([]);
    readFileSync(canary.file);
    expect(canary.touched()).toEqual(["the file was read"]);
  });
});

// --- internal ---

function toml(name: string, version: string): string {
  return `[plugin]\nname = ${JSON.stringify(name)}\nversion = ${JSON.stringify(version)}\ntier = 2\n[hooks]\non_alert = true\n`;
}

/** Of what `source` may be: everything but the one that says that the daemon reads it. */
const SOURCES_BUT_LINK = [0, 1, 3];

/** The database's own files come and go. */
function filesBelow(folder: string): readonly string[] {
  const all = readdirSync(folder, { recursive: true, encoding: "utf8" });
  return all.filter((path) => !path.includes("state.db")).toSorted();
}
