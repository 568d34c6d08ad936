/**
 * Confinement in a compiled executable: what the runtime can still do, what the kernel refuses, and on what kinds of machine it
 * works. Each attack has a control, the same code in a process that is not confined. The long list of attacks is in test/escape.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MACHINES } from "../../src/platform/confine/seccomp/machine.ts";
import { buildConfinedEntry, GUEST, startInside, type DaemonOrder } from "../confined.ts";
import { ensureConfinedImage, withoutCalls } from "../fixtures/confined-image.ts";
import { needs, until } from "../harness.ts";

const canConfine = needs("confinement");
const isRoot = process.getuid?.() === 0;
const UID = 212_346;

let folder = "";
let entry = "";
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "voxeltron-confined-"));
  chmodSync(folder, 0o755);
  entry = await buildConfinedEntry(folder);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe.skipIf(!canConfine)("the runtime in a sealed process", () => {
  test.each([
    ["compiles", "(() => { const f = (n) => (n < 2 ? n : f(n - 1) + f(n - 2)); return f(30); })()", 832_040],
    ["collects", "(() => { for (let i = 0; i < 3e6; i++) ({ i }); Bun.gc(true); return 1; })()", 1],
    [
      "runs WebAssembly",
      "(() => { const m = new WebAssembly.Memory({ initial: 1 }); m.grow(20); new Uint8Array(m.buffer).fill(7); return m.buffer.byteLength; })()",
      21 * 65_536,
    ],
    ["waits", "new Promise((done) => setTimeout(() => done('late'), 20))", "late"],
    [
      "makes random numbers",
      "crypto.getRandomValues(new Uint8Array(8)).length + crypto.randomUUID().length",
      44,
    ],
    [
      "hashes",
      "crypto.subtle.digest('SHA-256', new Uint8Array(1e6)).then((digest) => digest.byteLength)",
      32,
    ],
    [
      "encrypts",
      "crypto.subtle.generateKey({ name: 'AES-GCM', length: 256 }, true, ['encrypt']).then((key) => crypto.subtle.encrypt({ name: 'AES-GCM', iv: new Uint8Array(12) }, key, new Uint8Array(9))).then((bytes) => bytes.byteLength)",
      25,
    ],
    [
      "works in its thread pool",
      "import('node:zlib').then((zlib) => new Promise((done) => zlib.gzip('x'.repeat(1e6), (_, bytes) => done(bytes.length > 900))))",
      true,
    ],
    [
      "derives keys in parallel",
      "import('node:crypto').then(({ pbkdf2 }) => Promise.all([1, 2, 3, 4].map(() => new Promise((done) => pbkdf2('a', 'b', 2e4, 32, 'sha256', (_, key) => done(key.length))))))",
      [32, 32, 32, 32],
    ],
    [
      "knows languages",
      "new Intl.DateTimeFormat('de', { dateStyle: 'full', timeZone: 'Asia/Tokyo' }).format(0)",
      "Donnerstag, 1. Januar 1970",
    ],
    ["knows the daemon's time zone", "Intl.DateTimeFormat().resolvedOptions().timeZone", "UTC"],
    ["decodes", "new TextDecoder('shift_jis').decode(new Uint8Array([0x82, 0xa0]))", "あ"],
    ["has streams", "new Response(new Blob(['x']).stream()).text()", "x"],
    [
      "finds no way through a deep recursion",
      "(() => { const f = () => f() + 1; try { f(); } catch (error) { return error.name; } })()",
      "RangeError",
    ],
  ] as const)("%s", async (_, code, value) => {
    await using inside = await startInside([entry], { uid: isRoot ? UID : undefined });
    expect(await inside.ask(code)).toEqual({ value });
  });
});

describe.skipIf(!canConfine)("the kernel", () => {
  const harmless = "0, 0, 0, 0, 0, 0";
  /** Numbers are tried with arguments that would do nothing; these end or stop the process all the same. */
  const NOT_TRIED = new Set([
    "exit",
    "exit_group",
    "rt_sigreturn",
    "pause",
    "rt_sigsuspend",
    "vfork",
    "fork",
    "clone",
    // The kernel shows these two to no filter: they do nothing but return to a probe that it has set itself.
    "uretprobe",
    "uprobe",
  ]);

  test("refuses every system call that no rule lets through, and knows none that it doesn't name", async () => {
    await using inside = await startInside([entry], { uid: isRoot ? UID : undefined });
    const calls = Object.keys(MACHINES[process.arch]!.numbers).filter((call) => !NOT_TRIED.has(call));
    const allowed = await allowedCalls();
    const refused = calls.filter((call) => !allowed.has(call));
    expect(refused.length).toBeGreaterThan(250);
    const code = `${JSON.stringify(refused)}.filter((call) => kernel.call(call, ${harmless}) !== (call === "clone3" ? -38 : -1))`;
    expect(await inside.ask(code)).toEqual({ value: [] });
    for (const call of ["fork", "vfork", "clone"].filter((call) => call in MACHINES[process.arch]!.numbers)) {
      expect(await inside.ask(`kernel.call(${JSON.stringify(call)}, ${harmless})`)).toEqual({ value: -1 });
    }
  });

  test.each([
    ["a file is opened", "fs.readFileSync('/etc/hostname').length > 0"],
    ["a folder is listed", "fs.readdirSync('/').length > 0"],
    ["a path is looked at", "fs.statSync('/etc').isDirectory()"],
    ["the daemon's memory is read", "fs.readFileSync(`/proc/${process.ppid}/environ`).length >= 0"],
    ["a program is started", "childProcess.spawnSync('/bin/true').status === 0"],
    ["a socket is made", "kernel.call('socket', 1, 1, 0) >= 0"],
    [
      "a port is listened on",
      "new Promise((done, refuse) => net.createServer().on('error', refuse).listen(0, '127.0.0.1', function () { this.close(); done(true); }))",
    ],
    [
      "a datagram is sent",
      "new Promise((done, refuse) => { const s = dgram.createSocket('udp4'); s.on('error', refuse); s.send('x', 9, '127.0.0.1', (error) => (error ? refuse(error) : done(true))); })",
    ],
    ["the daemon is signalled", "process.kill(process.ppid, 0)"],
    ["a limit is raised", "kernel.call('prlimit64', 0, 4, new BigUint64Array([0n, 0n]), 0) === 0"],
    ["the working folder is changed", "(process.chdir('/tmp'), true)"],
    ["memory without a limit is made", "kernel.call('memfd_create', new Uint8Array(2), 0) >= 0"],
  ])("where %s: done without confinement, refused with it", async (_, code) => {
    await using control = await startInside([entry], { confined: false });
    expect(await control.ask(code)).toEqual({ value: true });
    await using inside = await startInside([entry], { uid: isRoot ? UID : undefined });
    const answer = await inside.ask(code);
    expect(answer.value ?? false).toBe(false);
    // It lives: it was refused, and did not just die.
    expect(await inside.ask("1 + 1")).toEqual({ value: 2 });
  });
});

describe.skipIf(!canConfine)("a sealed bundler", () => {
  const BUILD = `Bun.build({
    entrypoints: ["mem:entry.ts"], throw: false,
    plugins: [{ name: "memory", setup(build) {
      build.onResolve({ filter: /.*/ }, ({ path }) => ({ path, namespace: "mem" }));
      build.onLoad({ filter: /.*/, namespace: "mem" }, ({ path }) => ({
        loader: "tsx",
        contents: path === "mem:entry.ts" ? "import { y } from './other'; enum E { A = 7 } export const x: number = E.A + y;" : "export const y = 35;",
      }));
    } }],
  }).then(async (result) => (result.success ? await result.outputs[0].text() : result.logs.join()))`;

  test("bundles, again and again", async () => {
    await using inside = await startInside([entry], { profile: "bundler", uid: isRoot ? UID : undefined });
    for (let i = 0; i < 3; i++) expect((await inside.ask(BUILD)).value).toContain("var y = 35");
  });

  test.each([
    ["a file of the machine", "fs.readFileSync('/etc/hostname')"],
    ["the executable", "fs.readFileSync('/proc/self/exe')"],
    ["its own environment", "fs.readFileSync('/proc/self/environ')"],
    ["its own mounts", "fs.readFileSync(`/proc/self/task/${process.pid}/mountinfo`)"],
    ["the machine's folders", "fs.readdirSync('/')"],
    ["the machine's folders, through its own root", "fs.readdirSync(`/proc/self/task/${process.pid}/root`)"],
    ["other processes", "fs.readdirSync('/proc')"],
    ["a status of a path", "fs.statSync('/etc')"],
    ["a new file", "fs.writeFileSync(`/proc/self/task/${process.pid}/comm`, 'x')"],
  ])("does not get %s", async (_, code) => {
    await using inside = await startInside([entry], { profile: "bundler", uid: isRoot ? UID : undefined });
    const answer = await inside.ask(code);
    expect(["EPERM", "EACCES"]).toContain(answer.code ?? "");
    expect((await inside.ask("fs.readdirSync('.').includes(String(process.pid))")).value).toBe(true);
  });
});

describe.skipIf(!canConfine)("a daemon", () => {
  test("that is killed takes its child with it, however busy that is", async () => {
    const daemon = startDaemon([], { codes: ["process.pid", "(() => { for (;;); })()"], stay: true });
    const child = await until(() => childrenOf(daemon.pid).find((pid) => threadsAreSealed(pid)));
    await until(() => cpuTicks(child) > 10);
    daemon.kill("SIGKILL");
    await daemon.exited;
    await until(() => !isAlive(child), { what: "the child's end" });
  });

  test("whose executable was replaced meanwhile starts its children all the same", async () => {
    const copy = join(folder, "replaced");
    copyFileSync(entry, copy);
    const daemon = startDaemon([], { codes: ["1 + 1"], wait: true }, copy);
    await until(
      () => existsSync(`/proc/${daemon.pid}/exe`) && readlinkSync(`/proc/${daemon.pid}/exe`) === copy,
    );
    rmSync(copy);
    await daemon.stdin.end();
    expect(await answersOf(daemon)).toEqual([{ value: 2 }]);
  });
});

describe.skipIf(!canConfine || !isRoot || Bun.which("setpriv") === null)("a daemon that is", () => {
  const OTHER = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"];
  const caps = (names: readonly string[]): string[] => {
    const plus = names.map((name) => `+${name}`).join(",");
    return ["--bounding-set", `-all,${plus}`, "--inh-caps", plus, "--ambient-caps", plus, "--no-new-privs"];
  };
  const whoAmI = ["process.getuid()", "process.getgid()"];

  test("an ordinary user confines its children, as that user", async () => {
    expect(await answersOf(startDaemon(OTHER, { codes: whoAmI }))).toEqual([
      { value: 65_534 },
      { value: 65_534 },
    ]);
  });

  test("an ordinary user without any capability that it could have confines them too", async () => {
    const nothing = [...OTHER, "--no-new-privs", "--bounding-set", "-all", "--inh-caps", "-all"];
    expect(await answersOf(startDaemon(nothing, { codes: whoAmI }))).toEqual([
      { value: 65_534 },
      { value: 65_534 },
    ]);
  });

  test("an ordinary user with three capabilities gives them users of their own", async () => {
    const daemon = startDaemon([...OTHER, ...caps(["setuid", "setgid", "kill"])], {
      spec: { uid: UID },
      codes: whoAmI,
    });
    expect(await answersOf(daemon)).toEqual([{ value: UID }, { value: UID }]);
  });

  test("root with these three only does so too", async () => {
    const few = ["setpriv", "--no-new-privs", "--bounding-set", "-all,+setuid,+setgid,+kill"];
    expect(await answersOf(startDaemon(few, { spec: { uid: UID }, codes: whoAmI }))).toEqual([
      { value: UID },
      { value: UID },
    ]);
  });

  test.each([
    ["CAP_KILL", ["setuid", "setgid"]],
    ["CAP_SETUID", ["setgid", "kill"]],
    ["CAP_SETGID", ["setuid", "kill"]],
  ])("without %s does not, and says so", async (missing, names) => {
    const daemon = startDaemon([...OTHER, ...caps(names)], { spec: { uid: UID }, codes: whoAmI });
    const [{ error }] = (await outputOf(daemon)) as [
      { error: { code: string; message: string; hint: string } },
    ];
    expect(error.code).toBe("confinement.unavailable");
    expect(error.message).toEndWith(`it has no ${missing}`);
    expect(error.hint).toContain("AmbientCapabilities=CAP_SETUID CAP_SETGID CAP_KILL");
  });

  test("root with an executable that nobody else can reach makes them users of their own", async () => {
    const locked = mkdtempSync(join(tmpdir(), "voxeltron-locked-"));
    const copy = join(locked, "voxeltron");
    copyFileSync(entry, copy);
    chmodSync(copy, 0o700);
    chmodSync(locked, 0o700);
    try {
      expect(await answersOf(startDaemon([], { spec: { uid: UID }, codes: whoAmI }, copy))).toEqual([
        { value: UID },
        { value: UID },
      ]);
    } finally {
      rmSync(locked, { recursive: true });
    }
  });

  test("root of a user namespace says that a user does not exist there", async () => {
    const daemon = startDaemon(["unshare", "--user", "--map-root-user"], {
      spec: { uid: UID },
      codes: whoAmI,
    });
    const output = await outputOf(daemon);
    expect(output.at(-1)).toMatchObject({ end: { kind: "unconfined", step: "user" } });
  });
});

describe.skipIf(!canConfine || !needs("docker"))("in a container of Docker", () => {
  const docker = (user: string, ...flags: readonly string[]) => [
    ..."docker run --rm --network none --user".split(" "),
    user,
    ...flags,
    "--volume",
    `${entry}:/entry:ro`,
  ];
  let image = "";
  beforeAll(async () => {
    image = await ensureConfinedImage();
  });
  const start = (user: string, order: Order, ...flags: readonly string[]) =>
    startDaemon([...docker(user, ...flags), image], order, "/entry");

  test("with its default profile, as root, children have users of their own", async () => {
    expect(await answersOf(start("0", { spec: { uid: 1234 }, codes: ["process.getuid()"] }))).toEqual([
      { value: 1234 },
    ]);
  });

  test("with its default profile, as an ordinary user, children are confined", async () => {
    expect(await answersOf(start("1000:1000", { codes: ["process.getuid()"] }))).toEqual([{ value: 1000 }]);
  });

  test("without any capability and with no-new-privileges, children are confined", async () => {
    const flags = ["--cap-drop", "ALL", "--security-opt", "no-new-privileges"];
    expect(await answersOf(start("1000:1000", { codes: ["process.getuid()"] }, ...flags))).toEqual([
      { value: 1000 },
    ]);
  });

  test.each([
    [["landlock_create_ruleset"], "something forbids Landlock to this process (EPERM)"],
    [["seccomp"], "seccomp filters fail with EPERM"],
  ])("whose profile forbids %p nothing is started, and what is missing is said", async (calls, found) => {
    const profile = join(folder, `without-${calls.join("-")}.json`);
    await Bun.write(profile, JSON.stringify(withoutCalls(calls)));
    const output = await outputOf(start("0", { codes: ["1"] }, "--security-opt", `seccomp=${profile}`));
    expect(output).toEqual([
      {
        error: {
          code: "confinement.unavailable",
          message: `plugin processes can't be started here: ${found}`,
          hint: expect.stringContaining(calls[0]!),
        },
      },
    ]);
  });

  test("whose profile forbids what a child needs later, nothing of a plugin is read, and the step is said", async () => {
    const profile = join(folder, "without-restrict.json");
    await Bun.write(profile, JSON.stringify(withoutCalls(["landlock_restrict_self"])));
    const output = await outputOf(start("0", { codes: ["1"] }, "--security-opt", `seccomp=${profile}`));
    expect(output.at(-1)).toEqual({
      end: { kind: "unconfined", step: "landlock", reason: "landlock_restrict_self: EPERM" },
    });
  });
});

/** What an ordinary argument list of zeros lets through. */
async function allowedCalls(): Promise<Set<string>> {
  const { sealedRules } = await import("../../src/platform/confine/seccomp/rules.ts");
  const rules = sealedRules({ profile: "guest", pid: 0, openFolder: 0, mayTkill: false });
  return new Set(rules.filter((rule) => rule.verdict !== "absent").map((rule) => rule.call));
}

type Order = Omit<Partial<DaemonOrder>, "spec"> & { readonly spec?: Partial<DaemonOrder["spec"]> };

function startDaemon(before: readonly string[], order: Order, program = entry) {
  const whole: DaemonOrder = { codes: [], ...order, spec: { ...GUEST, ...order.spec } };
  return Bun.spawn([...before, program, "daemon", JSON.stringify(whole)], {
    cwd: "/",
    env: { PATH: process.env["PATH"] ?? "", TZ: "UTC" },
    stdin: "pipe",
    stdout: "pipe",
    stderr: "inherit",
  });
}

async function outputOf(daemon: ReturnType<typeof startDaemon>): Promise<unknown[]> {
  const text = await new Response(daemon.stdout).text();
  return text
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line) as unknown);
}

async function answersOf(daemon: ReturnType<typeof startDaemon>): Promise<unknown> {
  const [first] = (await outputOf(daemon)) as [{ answers?: unknown }];
  return first.answers ?? first;
}

function childrenOf(pid: number): number[] {
  return readdirSync("/proc")
    .map(Number)
    .filter((other) => Number.isInteger(other) && stat(other)[1] === pid);
}

function threadsAreSealed(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/status`, "utf8").includes("Seccomp_filters:\t2");
  } catch {
    return false;
  }
}

function isAlive(pid: number): boolean {
  return (
    existsSync(`/proc/${pid}`) && readFileSync(`/proc/${pid}/stat`, "latin1").split(") ")[1]?.[0] !== "Z"
  );
}

function cpuTicks(pid: number): number {
  return stat(pid)[11] ?? 0;
}

/** The numbers after the name of /proc/PID/stat; the first of them, the state, is none. */
function stat(pid: number): number[] {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "latin1");
    return text
      .slice(text.lastIndexOf(")") + 2)
      .split(" ")
      .map(Number);
  } catch {
    return [];
  }
}
