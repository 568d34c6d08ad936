/** A confined process as its parent sees it, from source: what it has, how it ends, what stays behind. */
import { afterEach, describe, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { systemClock } from "../../../../src/base/clock.ts";
import { makeStartConfined } from "../../../../src/platform/confine/confined-process.ts";
import { confinementReport } from "../../../../src/platform/confine/report.ts";
import { FROM_SOURCE, GUEST, startInside } from "../../../confined.ts";
import { needs, until } from "../../../harness.ts";
import { rejection } from "../../../fixtures/rejection.ts";

const canConfine = needs("confinement");
const isRoot = process.getuid?.() === 0;
const UID = 212_345;

describe.skipIf(!canConfine)("a confined process", () => {
  test("is confined in all its threads, and has no capability", async () => {
    await using inside = await startInside(FROM_SOURCE, { uid: isRoot ? UID : undefined });
    expect(await inside.ask("1 + 1")).toEqual({ value: 2 });
    const threads = readdirSync(`/proc/${inside.child.pid}/task`);
    expect(threads.length).toBeGreaterThan(1);
    for (const thread of threads) {
      const status = readFileSync(`/proc/${inside.child.pid}/task/${thread}/status`, "utf8");
      expect(status).toMatch(/^NoNewPrivs:\t1$/m);
      expect(status).toMatch(/^Seccomp:\t2$/m);
      expect(status).toMatch(/^Seccomp_filters:\t2$/m);
      for (const set of ["Prm", "Eff", "Amb"]) expect(status).toMatch(new RegExp(`^Cap${set}:\t0{16}$`, "m"));
      if (isRoot) expect(status).toMatch(new RegExp(`^Uid:(\t${UID}){4}\nGid:(\t${UID}){4}$`, "m"));
      if (isRoot) expect(status).toMatch(/^Groups:\s*$/m);
    }
  });

  test("has its limits", async () => {
    await using inside = await startInside(FROM_SOURCE, { uid: isRoot ? UID : undefined, cpuMs: 5500 });
    await inside.ask("1");
    const limits = readFileSync(`/proc/${inside.child.pid}/limits`, "utf8");
    for (const [name, value] of [
      ["Max core file size", 0],
      ["Max file size", 0],
      ["Max locked memory", 0],
      ["Max msgqueue size", 0],
      ["Max open files", 64],
      ["Max cpu time", 6],
      ["Max data size", GUEST.memoryBytes + 384 * 1024 * 1024],
    ] as const) {
      expect(limits).toMatch(new RegExp(`^${name}\\s+${value}\\s+${value}\\s`, "m"));
    }
  });

  test.skipIf(!isRoot)("inherits no environment", async () => {
    process.env["BUN_OPTIONS"] = "--smol";
    process.env["VOXELTRON_SECRET"] = "hunter2";
    try {
      await using inside = await startInside(FROM_SOURCE);
      await inside.ask("1");
      const raw = readFileSync(`/proc/${inside.child.pid}/environ`, "latin1");
      const names = raw.split("\0").flatMap((setting) => setting.split("=", 1));
      expect(names.filter((name) => name !== "").toSorted((a, b) => a.localeCompare(b, "en"))).toEqual([
        "BUN_ENABLE_CRASH_REPORTING",
        "BUN_JSC_jitMemoryReservationSize",
        "BUN_JSC_structureHeapSizeInKB",
        "BUN_RUNTIME_TRANSPILER_CACHE_PATH",
        "DO_NOT_TRACK",
        "MIMALLOC_ARENA_RESERVE",
        "TZ",
        "VOXELTRON_CONFINEMENT",
      ]);
      // What it sees itself is without the plan.
      const seen = (await inside.ask("Object.keys(process.env)")).value as string[];
      expect(seen).not.toContain("VOXELTRON_CONFINEMENT");
      expect((await inside.ask("process.env.TZ")).value).toBe("UTC");
    } finally {
      delete process.env["BUN_OPTIONS"];
      delete process.env["VOXELTRON_SECRET"];
    }
  });

  test.skipIf(!isRoot)("has its link open, and nothing else of ours", async () => {
    await using inside = await startInside(FROM_SOURCE);
    await inside.ask("1");
    const folder = `/proc/${inside.child.pid}/fd`;
    const open = readdirSync(folder).map(
      (name) => [Number(name), readlinkSync(`${folder}/${name}`)] as const,
    );
    const [own, others] = [open.filter(([n]) => n <= 3), open.filter(([n]) => n > 3)];
    expect(own.map(([, target]) => target.replace(/\d+/, "N"))).toEqual([
      "/dev/null",
      "/dev/null",
      "/dev/null",
      "socket:[N]",
    ]);
    for (const [, target] of others) expect(target).toStartWith("anon_inode:");
  });

  test("is another session and process group than ours", async () => {
    await using inside = await startInside(FROM_SOURCE);
    await inside.ask("1");
    const stat = readFileSync(`/proc/${inside.child.pid}/stat`, "latin1");
    const [, , group, session] = stat
      .slice(stat.lastIndexOf(")") + 2)
      .split(" ")
      .map(Number);
    expect([group, session]).toEqual([inside.child.pid, inside.child.pid]);
  });

  test("tells its CPU time while it lives", async () => {
    await using inside = await startInside(FROM_SOURCE);
    await inside.ask("1");
    const before = inside.child.cpuMs() ?? Number.NaN;
    void inside.ask("(() => { for (;;); })()");
    await until(() => (inside.child.cpuMs() ?? 0) > before + 100);
    inside.child.kill();
    await inside.child.ended;
    expect(inside.child.cpuMs()).toBeUndefined();
  });
});

describe.skipIf(!canConfine)("the end of a confined process", () => {
  const place = canConfine ? confinementReport().checks.find((check) => check.name === "cgroup") : undefined;
  const groups = /in (\S+)$/.exec(place?.ok === true ? place.found : "")?.[1];
  const pids: number[] = [];
  afterEach(() => {
    // Neither alive nor a zombie.
    for (const pid of pids.splice(0)) expect(existsSync(`/proc/${pid}`)).toBe(false);
  });

  async function start(spec: Parameters<typeof startInside>[1] = {}) {
    const inside = await startInside(FROM_SOURCE, spec);
    pids.push(inside.child.pid);
    await inside.ask("1");
    return inside;
  }

  test("by itself is told with its status", async () => {
    const inside = await start();
    void inside.ask("process.exit(3)");
    expect(await inside.child.ended).toEqual({ kind: "status", status: 3 });
  });

  test.each([
    ["SIGSEGV", "ffi.read.u8(16)"],
    ["SIGABRT", "process.abort()"],
  ])("by %s is told with the signal", async (signal, code) => {
    const inside = await start();
    void inside.ask(code);
    expect(await inside.child.ended).toEqual({ kind: "signal", signal });
  });

  test("by the daemon may be asked for as often as one likes", async () => {
    const inside = await start();
    inside.child.kill();
    inside.child.kill();
    expect(await inside.child.ended).toEqual({ kind: "signal", signal: "SIGKILL" });
    inside.child.kill();
  });

  test("by the daemon while it starts is no failure of confinement", async () => {
    const inside = await startInside(FROM_SOURCE);
    pids.push(inside.child.pid);
    inside.child.kill();
    expect(await inside.child.ended).toEqual({ kind: "signal", signal: "SIGKILL" });
    expect(await inside.ask("1")).toEqual({ lost: true });
  });

  test.each([
    ["bytes", "(() => { const held = []; for (;;) held.push(new Uint8Array(1 << 20).fill(1)); })()"],
    ["texts", "(() => { let text = 'x'; for (;;) { text += text + Math.random(); text.charCodeAt(9); } })()"],
    [
      "WebAssembly",
      "(() => { const held = []; for (;;) { const m = new WebAssembly.Memory({ initial: 256 }); new Uint8Array(m.buffer).fill(1); held.push(m); } })()",
    ],
  ])("for too much memory in %s is told, or refused by the kernel", async (_, bomb) => {
    const inside = await start();
    const answer = inside.ask(bomb);
    const end = await Promise.race([inside.child.ended, answer]);
    // Found by the watch; ended by the kernel, with the memory group or at the limit on data; or an allocation was refused.
    if ("kind" in end && end.kind === "memory") {
      expect(end.bytes).toBeGreaterThanOrEqual(GUEST.memoryBytes);
      expect(end.bytes).toBeLessThan(GUEST.memoryBytes * 2.5);
    } else if ("kind" in end) expect(end).toMatchObject({ kind: "signal" });
    else expect(end.lost ?? end.error).toBeDefined();
    inside.child.kill();
    await inside.child.ended;
  });

  test("for too much CPU time is the kernel's doing", async () => {
    const inside = await start({ cpuMs: 1000 });
    const begun = performance.now();
    void inside.ask("(() => { for (;;); })()");
    expect(await inside.child.ended).toEqual({ kind: "signal", signal: "SIGKILL" });
    expect(performance.now() - begun).toBeGreaterThan(300);
  });

  test.skipIf(groups === undefined)(
    "for too much memory is the kernel's doing where the watch looks away",
    async () => {
      const blind = { ...systemClock, after: () => () => {} };
      const inside = await startInside(FROM_SOURCE, {}, blind);
      pids.push(inside.child.pid);
      const group = `${groups}/voxeltron-${process.pid}-${inside.child.pid}`;
      const members = () => (existsSync(group) ? readFileSync(`${group}/cgroup.procs`, "utf8").trim() : "");
      await until(() => members() === String(inside.child.pid), { what: "the group" });
      void inside.ask("(() => { const held = []; for (;;) held.push(new Uint8Array(1 << 20).fill(1)); })()");
      expect(await inside.child.ended).toEqual({ kind: "memory", bytes: GUEST.memoryBytes });
      await until(() => !existsSync(group), { what: "the group's removal" });
    },
  );
});

describe.skipIf(!canConfine)("a process that can't be confined", () => {
  const begin = (command: readonly string[], uid?: number) =>
    makeStartConfined({ clock: systemClock, command: () => command })({ ...GUEST, role: [], uid });

  test("is told with what its program said last", async () => {
    const broken = begin(["/bin/sh", "-ec", "echo the reason >&2; exit 3"]);
    expect(await broken.ended).toEqual({ kind: "unconfined", step: "start", reason: "the reason" });
  });

  test("is told when its program says nothing", async () => {
    expect(await begin(["/bin/false"]).ended).toEqual({
      kind: "unconfined",
      step: "start",
      reason: "the process ended with status 1",
    });
  });

  test("may say too much without harm", async () => {
    const end = await begin(["/bin/sh", "-ec", "yes | head -c 10000000 >&2; exit 1"]).ended;
    expect(end).toMatchObject({ kind: "unconfined", step: "start" });
    expect(JSON.stringify(end).length).toBeLessThan(10_000);
  });

  test("because its program doesn't exist is an error at once", () => {
    expect(() => begin(["/no/such/program"])).toThrow("ENOENT");
  });

  test.skipIf(!isRoot).each([0, -1, 2 ** 32 - 1, 2 ** 40])(
    "because %p is nobody is told with the step",
    async (uid) => {
      const inside = await startInside(FROM_SOURCE, { uid });
      const reason = `${uid} is no user that a plugin can be`;
      expect(await inside.child.ended).toEqual({ kind: "unconfined", step: "user", reason });
    },
  );

  test.each([
    ["the launcher", ["__confine", "nonsense", "inside"]],
    ["the sealed role", ["inside"]],
  ])("%s started by hand refuses to run", async (_, words) => {
    const child = Bun.spawn([...FROM_SOURCE, ...words], {
      env: {},
      stdio: ["ignore", "ignore", "pipe", "pipe"],
    });
    expect(await child.exited).toBe(71);
    const said = await new Response(child.stderr).text();
    expect(JSON.parse(said)).toEqual({ step: "plan", reason: "this role is started by the daemon only" });
  });

  test.skipIf(isRoot)(
    "as another user than an ordinary daemon's is refused with what is missing",
    async () => {
      const error = await rejection(startInside(FROM_SOURCE, { uid: UID }));
      expect(error).toMatchObject({ code: "confinement.unavailable" });
      expect((error as Error).message).toContain("CAP_SETUID, CAP_SETGID, CAP_KILL");
    },
  );
});
