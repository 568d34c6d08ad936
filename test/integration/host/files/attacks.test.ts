/**
 * Plugins that want out of files/, and others on the machine who help them. Each attack must be refused, and nothing may have
 * happened: no byte of the canaries read, nothing changed outside or inside. Controls show that the same works where nothing stops it.
 */
import { describe, expect, test } from "bun:test";
import {
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { open, readFile, realpath } from "node:fs/promises";
import { join } from "node:path";
import { LIMITS } from "../../../../src/base/limits.ts";
import { filePlugin, type FilePlugin, type FilePluginOptions } from "../../../file-plugin.ts";
import { codeOf } from "../../../fixtures/rejection.ts";
import { needs, tempDir, until } from "../../../harness.ts";
import { seededRandom } from "../../../random.ts";

const CANARY = "canary: nobody may read or change this";

/** Every way to ask for a path, alone or beside one that is allowed. */
const ASK: Readonly<Record<string, (path: string) => readonly [string, Record<string, unknown>]>> = {
  read: (path) => ["read", { path }],
  readText: (path) => ["readText", { path, options: { length: 10 } }],
  list: (path) => ["list", { path }],
  stat: (path) => ["stat", { path }],
  write: (path) => ["write", { path, data: "owned" }],
  append: (path) => ["append", { path, data: "owned" }],
  remove: (path) => ["remove", { path }],
  mkdir: (path) => ["mkdir", { path }],
  "mkdir with parents": (path) => ["mkdir", { path, options: { parents: true } }],
  "rename from": (path) => ["rename", { from: path, to: "files/taken" }],
  "rename to": (path) => ["rename", { from: "files/own.txt", to: path }],
};
const WRITING = Object.keys(ASK).slice(4);

interface World extends AsyncDisposable {
  readonly plugin: FilePlugin;
  readonly files: string;
  /** A folder that no plugin has anything to do with. */
  readonly outside: string;
  /** All that is there, inside and outside. */
  state(): string;
}

function makeWorld(options: FilePluginOptions = {}): World {
  const plugin = filePlugin(options);
  const outsideDir = tempDir();
  const { dataDir } = plugin;
  for (const [path, text] of [
    ["secret.key", CANARY],
    ["voxeltron.db", CANARY],
    ["plugins/other/index.ts", CANARY],
    ["backups/db.gz", "a backup"],
    ["files/own.txt", "own"],
    ["files/folder/inner.txt", "inner"],
  ] as const) {
    mkdirSync(join(dataDir, path, ".."), { recursive: true });
    writeFileSync(join(dataDir, path), text);
  }
  mkdirSync(join(outsideDir.path, "inner"));
  writeFileSync(join(outsideDir.path, "x"), CANARY);
  writeFileSync(join(outsideDir.path, "inner.txt"), CANARY);
  return {
    plugin,
    files: join(dataDir, "files"),
    outside: outsideDir.path,
    state: () => JSON.stringify([stateOf(dataDir), stateOf(outsideDir.path)]),
    async [Symbol.asyncDispose]() {
      await plugin[Symbol.asyncDispose]();
      await outsideDir[Symbol.asyncDispose]();
    },
  };
}

/** Paths with what stands there; pipes and the like are not opened. */
function stateOf(root: string): readonly string[] {
  const lines: string[] = [];
  const visit = (path: string): void => {
    const found = lstatSync(path);
    const content = found.isFile()
      ? readFileSync(path, "latin1")
      : found.isSymbolicLink()
        ? `→ ${readlinkSync(path)}`
        : "";
    lines.push(`${path} ${found.mode} ${found.nlink} ${found.mtimeMs} ${content}`);
    if (found.isDirectory()) for (const name of readdirSync(path).toSorted()) visit(join(path, name));
  };
  visit(root);
  return lines;
}

/** Asks in every way; the answers' codes, and that nothing changed and nothing of the canaries came out. */
async function refused(
  world: World,
  path: string,
  expected: string | Readonly<Record<string, string>>,
  ways: readonly string[] = Object.keys(ASK),
): Promise<void> {
  const before = world.state();
  for (const way of ways) {
    const [method, params] = ASK[way]!(path);
    const answer = world.plugin.call(method, params);
    const code = await Promise.race([codeOf(answer), Bun.sleep(3000).then(() => "it hangs")]);
    const wanted = typeof expected === "string" ? expected : (expected[way] ?? expected["else"]);
    expect([way, path, code]).toEqual([way, path, wanted ?? ""]);
    expect(JSON.stringify(await answer.catch((error: unknown) => error)) ?? "").not.toContain("canary");
  }
  expect(world.state()).toBe(before);
}

describe.if(needs("linux"))("a path", () => {
  test.each([
    "../secret.key",
    "..",
    "files/..",
    "files/../secret.key",
    "files/../../x",
    "files/folder/../own.txt",
    "files/folder/..",
    "files/folder/../../secret.key",
    "backups/../secret.key",
    "files/own.txt/../../secret.key",
    "/etc/passwd",
    "//etc/passwd",
    "/proc/self/root/etc/passwd",
    "secret.key",
    "voxeltron.db",
    "plugins/other/index.ts",
    "FILES/own.txt",
    "Files",
    "files%2f..%2fsecret.key",
    "files\u2215..\u2215secret.key",
    "files\\..\\secret.key",
    "~root/.ssh/id_rsa",
    "",
  ])("%j leads nowhere", async (path) => {
    await using world = makeWorld();
    await refused(world, path, "capability.out_of_scope");
  });

  test.each([
    "files//own.txt",
    "files/./own.txt",
    "files/own.txt/",
    "files/",
    "files/own.txt\0",
    "files/own.txt\0.png",
    "files/\u001b[2J",
    "files/folder\\..\\own.txt",
    "files/\ud800",
    `files/${"x".repeat(300)}`,
    `files/${"folder/".repeat(600)}x`,
    "files/.voxeltron-part",
  ])("%j is none", async (path) => {
    await using world = makeWorld();
    await refused(world, path, "capability.invalid_params");
  });

  test.each([
    "files/\uff0e\uff0e/secret.key",
    "files/\u2024\u2024",
    "files/%2e%2e/secret.key",
    "files/OWN.TXT",
    "files/...",
    "files/.\u200b./secret.key",
  ])("%j is a name like any other, and there is nothing", async (path) => {
    await using world = makeWorld();
    await refused(world, path, "file.not_found", [
      "read",
      "readText",
      "list",
      "stat",
      "remove",
      "rename from",
    ]);
  });

  test("of an area itself, or of a backup, can't be changed", async () => {
    await using world = makeWorld();
    for (const path of ["files", "backups", "backups/db.gz", "backups/new"])
      await refused(world, path, "capability.out_of_scope", WRITING);
    expect(await world.plugin.call("readText", { path: "backups/db.gz" })).toBe("a backup");
  });
});

describe.if(needs("linux"))("what others planted", () => {
  test("a link at the end, to a file, a folder or nothing", async () => {
    await using world = makeWorld();
    const { files, outside } = world;
    const control = join(files, "to-file");
    symlinkSync(join(outside, "x"), control);
    symlinkSync(outside, join(files, "to-folder"));
    symlinkSync(join(outside, "nothing"), join(files, "dangling"));
    symlinkSync("own.txt", join(files, "to-own"));
    symlinkSync("../secret.key", join(files, "folder/relative"));
    symlinkSync("loop", join(files, "loop"));
    expect(readFileSync(control, "utf8")).toBe(CANARY);
    for (const name of ["to-file", "to-folder", "dangling", "to-own", "folder/relative", "loop"])
      await refused(world, `files/${name}`, { mkdir: "file.exists", else: "capability.out_of_scope" });
    const listed = (await world.plugin.call("list", { path: "files" })) as { name: string; type: string }[];
    expect(listed.find(({ name }) => name === "to-folder")).toMatchObject({ type: "other", size: 0 });
    expect(existsSync(join(outside, "nothing"))).toBe(false);
  });

  test("a link in the middle", async () => {
    await using world = makeWorld();
    symlinkSync(world.outside, join(world.files, "link"));
    symlinkSync("..", join(world.files, "folder/up"));
    expect(readFileSync(join(world.files, "link/x"), "utf8")).toBe(CANARY);
    for (const path of ["link/x", "link/inner", "link/new", "link/inner/deep", "folder/up/own.txt"])
      await refused(world, `files/${path}`, "capability.out_of_scope");
  });

  test("files/ itself as a link", async () => {
    await using world = makeWorld();
    renameSync(world.files, `${world.files}.away`);
    symlinkSync(world.outside, world.files);
    for (const path of ["files/x", "files/inner", "files/new"])
      await refused(world, path, "capability.out_of_scope");
    await refused(world, "files", "capability.out_of_scope", ["list"]);
    await refused(world, "files", "capability.out_of_scope", ["stat"]);
  });

  test("links into /proc, which are doors and not names", async () => {
    await using world = makeWorld();
    await using held = await open(join(world.outside, "x"));
    for (const [name, target] of [
      ["root", "/proc/self/root"],
      ["cwd", "/proc/self/cwd"],
      ["fd", `/proc/self/fd/${held.fd}`],
      ["environ", "/proc/self/environ"],
    ] as const)
      symlinkSync(target, join(world.files, name));
    expect(readFileSync(join(world.files, "fd"), "utf8")).toBe(CANARY);
    for (const path of ["root", "root/etc/passwd", "cwd/package.json", "fd", "environ"])
      await refused(world, `files/${path}`, {
        mkdir: path.includes("/") ? "capability.out_of_scope" : "file.exists",
        else: "capability.out_of_scope",
      });
  });

  test("a second name of a file from elsewhere is not opened; its name can be replaced and removed, the file stays", async () => {
    await using world = makeWorld();
    const secret = join(world.plugin.dataDir, "secret.key");
    linkSync(secret, join(world.files, "hard"));
    expect(readFileSync(join(world.files, "hard"), "utf8")).toBe(CANARY);
    await refused(world, "files/hard", "capability.out_of_scope", ["read", "readText", "append"]);
    await world.plugin.call("write", { path: "files/hard", data: "mine" });
    expect(readFileSync(secret, "utf8")).toBe(CANARY);
    linkSync(secret, join(world.files, "hard2"));
    await world.plugin.call("rename", { from: "files/own.txt", to: "files/hard2" });
    expect(readFileSync(secret, "utf8")).toBe(CANARY);
  });

  test("a pipe, which never answers, and a socket", async () => {
    await using world = makeWorld();
    expect(Bun.spawnSync(["mkfifo", join(world.files, "pipe")]).exitCode).toBe(0);
    using _socket = Bun.listen({ unix: join(world.files, "socket"), socket: { data() {} } });
    const strange = { mkdir: "file.exists", list: "file.wrong_type", stat: "ok", else: "file.wrong_type" };
    for (const name of ["pipe", "socket"])
      await refused(world, `files/${name}`, { ...strange, "mkdir with parents": "file.exists" });
  });

  test.if(needs("root"))("a device, which may act when it is opened", async () => {
    await using world = makeWorld();
    expect(Bun.spawnSync(["mknod", join(world.files, "device"), "c", "1", "5"]).exitCode).toBe(0);
    {
      await using control = await open(join(world.files, "device"));
      expect((await control.read(new Uint8Array(4))).bytesRead).toBe(4);
    }
    await refused(world, "files/device", {
      mkdir: "file.exists",
      "mkdir with parents": "file.exists",
      stat: "ok",
      else: "file.wrong_type",
    });
  });

  test.if(process.getuid?.() !== 0)("what the daemon's user may not open", async () => {
    await using world = makeWorld();
    chmodSync(join(world.files, "own.txt"), 0);
    expect(await codeOf(world.plugin.call("read", { path: "files/own.txt" }))).toBe("file.failed");
    chmodSync(join(world.files, "own.txt"), 0o600);
  });

  test("the area is gone: nothing is found, and it is made again", async () => {
    await using world = makeWorld();
    renameSync(world.files, `${world.files}.away`);
    expect(await codeOf(world.plugin.call("read", { path: "files/own.txt" }))).toBe("file.not_found");
    await world.plugin.call("write", { path: "files/new", data: "new" });
    expect(readdirSync(world.files)).toEqual(["new"]);
  });
});

describe.if(needs("linux"))("a name that another process swaps for a link all the while", () => {
  const SHM = existsSync("/dev/shm") ? { under: "/dev/shm" } : {};

  interface Race extends AsyncDisposable {
    readonly world: World;
    readonly outsideBefore: string;
    /** The swapped folder, and the swapped file. */
    readonly folder: string;
    readonly file: string;
  }

  async function race(): Promise<Race> {
    const world = makeWorld(SHM);
    const { files, outside, plugin } = world;
    const at = (name: string) => join(files, name);
    mkdirSync(at("spare"));
    mkdirSync(at("kept"));
    writeFileSync(at("spare/x"), "innocent");
    mkdirSync(join(plugin.dataDir, "hidden"));
    symlinkSync(outside, join(plugin.dataDir, "hidden/folder"));
    writeFileSync(at("innocent"), "innocent");
    symlinkSync(join(outside, "x"), join(plugin.dataDir, "hidden/file"));
    const children = [
      [at("swapped"), at("spare"), join(plugin.dataDir, "hidden/folder")],
      [at("file"), at("innocent"), join(plugin.dataDir, "hidden/file")],
    ].map((words) =>
      Bun.spawn([process.execPath, join(import.meta.dir, "../../../fixtures/path-swapper.ts"), ...words], {
        stdout: "pipe",
      }),
    );
    for (const child of children) await child.stdout.getReader().read();
    return {
      world,
      outsideBefore: JSON.stringify(stateOf(outside)),
      folder: "files/swapped",
      file: "files/file",
      async [Symbol.asyncDispose]() {
        for (const child of children) child.kill("SIGKILL");
        await Promise.all(children.map((child) => child.exited));
        await world[Symbol.asyncDispose]();
      },
    };
  }

  test("20,000 calls never read and never change what is outside", async () => {
    await using it = await race();
    const { call } = it.world.plugin;
    const random = seededRandom(20_251_130);
    const calls: readonly (readonly [string, Record<string, unknown>])[] = [
      ["read", { path: `${it.folder}/x` }],
      ["readText", { path: it.file }],
      ["readText", { path: `${it.folder}/inner.txt` }],
      ["list", { path: it.folder }],
      ["stat", { path: it.file }],
      ["stat", { path: `${it.folder}/inner` }],
      ["write", { path: `${it.folder}/x`, data: "innocent" }],
      ["write", { path: `${it.folder}/new`, data: "innocent" }],
      ["append", { path: it.file, data: "" }],
      ["append", { path: `${it.folder}/x`, data: "+" }],
      ["remove", { path: `${it.folder}/inner.txt` }],
      ["remove", { path: `${it.folder}/inner` }],
      ["mkdir", { path: `${it.folder}/made` }],
      ["remove", { path: `${it.folder}/made` }],
      ["rename", { from: `${it.folder}/inner.txt`, to: "files/kept/stolen" }],
      ["rename", { from: `${it.folder}/x`, to: "files/kept/x" }],
      ["rename", { from: "files/kept/x", to: `${it.folder}/x` }],
    ];
    const codes = new Map<string, number>();
    let leaks = 0;
    for (let done = 0; done < 20_000; done += 8) {
      await Promise.all(
        Array.from({ length: 8 }, async () => {
          const [method, params] = calls[Math.floor(random() * calls.length)]!;
          let code = "ok";
          try {
            const answer = JSON.stringify(await call(method, params)) ?? "";
            const text = answer.includes("$b64")
              ? atob((JSON.parse(answer) as { $b64: string }).$b64)
              : answer;
            if (text.includes("canary") || answer.includes('"inner.txt"')) leaks++;
          } catch (error) {
            code = (error as { code: string }).code;
          }
          codes.set(code, (codes.get(code) ?? 0) + 1);
        }),
      );
    }
    expect(leaks).toBe(0);
    expect(JSON.stringify(stateOf(it.world.outside))).toBe(it.outsideBefore);
    expect(existsSync(join(it.world.files, "kept/stolen"))).toBe(false);
    // The race was on: some calls found what is innocent, some the link, and nothing was a bug.
    expect(codes.get("ok")).toBeGreaterThan(500);
    expect(codes.get("capability.out_of_scope")).toBeGreaterThan(500);
    expect(codes.has("internal.bug")).toBe(false);
  }, 180_000);

  test("control: looking first and opening then is fooled", async () => {
    await using it = await race();
    const { files } = it.world;
    const inside = realpathSync(files);
    const fooled = async (path: string): Promise<boolean> => {
      try {
        if (!(await realpath(path)).startsWith(`${inside}/`)) return false;
        return (await readFile(path, "utf8")).includes("canary");
      } catch {
        return false;
      }
    };
    await until(async () => (await fooled(join(files, "file"))) || (await fooled(join(files, "swapped/x"))), {
      timeoutMs: 60_000,
      what: "the control to be fooled",
    });
  }, 90_000);
});

describe.if(needs("linux"))("a daemon that is killed while it writes", () => {
  test("leaves the old content or the new one, whole", async () => {
    await using dir = tempDir();
    const random = seededRandom(7);
    const seen = new Set<string>();
    for (let round = 0; round < 8; round++) {
      const child = Bun.spawn(
        [process.execPath, join(import.meta.dir, "../../../fixtures/file-writer.ts"), dir.path],
        { stdout: "pipe" },
      );
      await child.stdout.getReader().read();
      await Bun.sleep(random() * 60);
      child.kill("SIGKILL");
      await child.exited;
      const text = readFileSync(join(dir.path, "files/x"), "utf8");
      expect(text).toHaveLength(LIMITS.fileCallBytes);
      expect(new Set(text).size).toBe(1);
      for (const name of readdirSync(join(dir.path, "files"))) seen.add(name === "x" ? "x" : "part");
    }
    // It was killed within a write at least once, and what that left goes with the next start.
    expect(seen).toEqual(new Set(["x", "part"]));
    const next = filePlugin({ dataDir: dir.path });
    await next.call("write", { path: "files/y", data: "" });
    expect(readdirSync(join(dir.path, "files")).toSorted()).toEqual(["x", "y"]);
    rmSync(join(dir.path, "files"), { recursive: true });
    next.db.close();
  }, 60_000);
});
