/** `doctor`, answered by a daemon and without one, `daemon info`'s line about confinement, and `plugin check` as an ordinary user. */
import { describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ConfinementStatus, Examination } from "../../../src/api/operations.ts";
import { makeGuestWasm } from "../../../scripts/guest-wasm/make-guest-wasm.ts";
import { needs, tempDir } from "../../harness.ts";
import { fakeDaemon } from "./fake-daemon.ts";
import { cliCommand, cliEnvironment, runCliProcess, textOf } from "./run-cli.ts";

const well: Examination = {
  ok: true,
  uid: 0,
  unit: "voxeltron.service",
  findings: [
    { name: "confinement.landlock", ok: true, required: true, found: "Landlock, version 7", advice: null },
    { name: "confinement.cgroup", ok: false, required: false, found: "no groups", advice: "Delegate=yes" },
  ],
  notTested: ["Docker", "the network"],
};

async function withDaemon(examination: Examination, args: readonly string[]) {
  await using dir = tempDir();
  const socket = join(dir.path, "s");
  await using _ = fakeDaemon(socket, { "daemon.doctor": () => examination });
  return await runCliProcess(["--socket", socket, "doctor", ...args]);
}

describe("doctor, where a daemon answers", () => {
  test("shows what it found as its user and unit, what to do, and what was not tested", async () => {
    const ran = await withDaemon(well, []);
    expect(ran).toEqual({
      stdout: `Looked as the daemon, root in voxeltron.service.

CHECK                 STATE   FOUND
confinement.landlock  ok      Landlock, version 7
confinement.cgroup    weaker  no groups

hint: confinement.cgroup: Delegate=yes
✓ What is needed is there
Not tested: Docker, the network.
`,
      stderr: "",
      status: 0,
    });
  });

  test("ends with 1 where something is missing that is needed", async () => {
    const [first, ...others] = well.findings;
    const missing = { ...first!, ok: false, found: "this kernel has no Landlock", advice: "a newer kernel" };
    const ran = await withDaemon({ ...well, ok: false, unit: null, findings: [missing, ...others] }, []);
    expect(ran.stdout).toContain("confinement.landlock  failed  this kernel has no Landlock");
    expect(ran.stdout).toContain("hint: confinement.landlock: a newer kernel\n");
    expect(ran.stdout).toContain("Something is missing that is needed.\n");
    expect(ran.status).toBe(1);
  });

  test("gives all of it as JSON", async () => {
    const ran = await withDaemon({ ...well, ok: false }, ["--json"]);
    expect(JSON.parse(ran.stdout)).toEqual({ where: "daemon", ...well, ok: false });
    expect(ran.status).toBe(1);
  });
});

describe.skipIf(!needs("linux"))("doctor, where none answers", () => {
  test("looks by itself, says so, and really confines a process", async () => {
    await using dir = tempDir();
    const ran = await runCliProcess(["--data-dir", dir.path, "doctor", "--json"]);
    const seen = JSON.parse(ran.stdout) as Examination;
    expect(seen).toMatchObject({ where: "here", ok: true, uid: process.getuid?.() });
    expect(seen.findings).toContainEqual({
      name: "confinement.trial",
      ok: true,
      required: true,
      found: "a process was confined, and did its work",
      advice: null,
    });
    expect(seen.notTested).toContain("Docker");
    expect(ran.stderr).toStartWith("note: no daemon answers;");
    expect(ran.status).toBe(0);
  });

  test("counts a configuration that can't be used, and looks at the rest all the same", async () => {
    await using dir = tempDir();
    const config = join(dir.path, "c.toml");
    writeFileSync(config, "[plugins]\nuid_range = [1, 2]\n");
    const ran = await runCliProcess(["--config", config, "--data-dir", dir.path, "doctor"]);
    expect(ran.stdout).toMatch(/^configuration +failed +\S+c\.toml:2:1: plugins\.uid_range: /m);
    expect(ran.stdout).toMatch(/^confinement\.trial +ok /m);
    expect(ran.status).toBe(1);
  });
});

const STATES: readonly (readonly [ConfinementStatus, string])[] = [
  [{ state: "confined", missing: [] }, "plugins: their processes are confined\n"],
  [
    { state: "unconfined", missing: ["landlock: none"] },
    "are NOT confined, as [plugins] allow_unconfined allows (landlock: none)\n",
  ],
  [
    { state: "unavailable", missing: ["system: darwin"] },
    "are not started: voxeltron doctor says more (system: darwin)\n",
  ],
];

test.each(STATES)("daemon info says it on one line: %j", async (confinement, line) => {
  await using dir = tempDir();
  const socket = join(dir.path, "s");
  await using _ = fakeDaemon(socket, {
    "daemon.info": () => ({ version: "1", pid: 1, dataDir: "/d", startedAt: "t", confinement }),
  });
  const ran = await runCliProcess(["--socket", socket, "daemon", "info"]);
  expect(ran.stdout).toContain(line);
});

/** A user with nothing but what everybody has. */
const ORDINARY = 4242;
const asOrdinaryUser =
  process.getuid?.() === 0
    ? ["setpriv", `--reuid=${ORDINARY}`, `--regid=${ORDINARY}`, "--clear-groups", "--"]
    : [];

test.skipIf(!needs("linux"))("plugin check bundles as an ordinary user", async () => {
  await makeGuestWasm();
  await using dir = tempDir();
  Bun.spawnSync(["chmod", "755", dir.path]);
  writeFileSync(
    join(dir.path, "plugin.toml"),
    '[plugin]\nname = "a"\nversion = "1.0.0"\ntier = 2\n[hooks]\non_alert = true\n',
  );
  writeFileSync(join(dir.path, "index.ts"), 'import x from "./x.ts";\nexport default { on_alert: () => x };');
  const check = async () => {
    const child = Bun.spawn([...asOrdinaryUser, ...cliCommand(["plugin", "check", dir.path])], {
      env: cliEnvironment(),
      stdout: "pipe",
      stderr: "pipe",
    });
    const [stdout, status] = await Promise.all([textOf(child.stdout), child.exited]);
    return { stdout, status };
  };
  expect((await check()).stdout).toContain("plugin.import_refused");
  writeFileSync(join(dir.path, "x.ts"), "export default 1;");
  const second = await check();
  expect(second.stdout).toEndWith("✓ Plugin can be installed\n");
  expect(second.status).toBe(0);
});
