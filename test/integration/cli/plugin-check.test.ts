/** `plugin check` as it is typed: consent, options, what people and build servers read, and Ctrl-C. */
import { describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { makeGuestWasm } from "../../../scripts/guest-wasm/make-guest-wasm.ts";
import { needs, tempDir, until } from "../../harness.ts";
import { leftIn, writePlugin } from "../check/checked.ts";
import { cliCommand, runCliProcess, runOnTerminal, textOf } from "./run-cli.ts";

await makeGuestWasm();

const LONGEST_MS = 60_000;

const YAML = 'name: sample\nversion: "1.0.0"\ntype: hook\nentrypoint: ./run\nevents: [on_deploy_fail]\n';

/** A hook that leaves a mark when it is run. */
function marking(root: string): { folder: string; mark: string } {
  const mark = join(root, "mark");
  const run = `#!/bin/sh\ncat > /dev/null\ntouch ${mark}\necho '{"ok": true}'\n`;
  return { folder: writePlugin(root, { "plugin.yaml": YAML, run }), mark };
}

describe("an executable", () => {
  test(
    "is not run without a word that it may, and the exit status says so",
    async () => {
      await using dir = tempDir();
      const { folder, mark } = marking(dir.path);
      const asked = await runCliProcess(["plugin", "check", folder]);
      expect(asked.stdout).toContain("✓ the manifest can be read\n");
      expect(asked.stdout).toContain("its code was not run\n");
      expect(asked.stderr).toContain("pass --yes to run it, unsandboxed, as you; or --no-run");
      expect([asked.status, existsSync(mark)]).toEqual([5, false]);
      const unasked = await runCliProcess(["plugin", "check", folder, "--no-run"]);
      expect([unasked.status, unasked.stderr, existsSync(mark)]).toEqual([0, "", false]);
      const run = await runCliProcess(["plugin", "check", folder, "--yes"]);
      expect([run.status, run.stderr, existsSync(mark)]).toEqual([0, "", true]);
      expect(run.stdout).toContain("✓ runs with a sample event: on_deploy_fail\n");
    },
    LONGEST_MS,
  );

  test(
    "is asked for on a terminal, and no is no",
    async () => {
      await using dir = tempDir();
      const { folder, mark } = marking(dir.path);
      const question = "Run this program now, unsandboxed, with your full access? [y/N]: ";
      const no = await runOnTerminal(["plugin", "check", folder], [{ see: question, type: "\n" }]);
      expect([no.status, existsSync(mark)]).toEqual([5, false]);
      expect(no.screen).toContain("you did not consent");
      const yes = await runOnTerminal(["plugin", "check", folder], [{ see: question, type: "y\n" }]);
      expect([yes.status, existsSync(mark)]).toEqual([0, true]);
      expect(yes.screen).toContain("✓ Plugin can be installed\n");
    },
    LONGEST_MS,
  );

  test("that can't be installed is not asked for", async () => {
    await using dir = tempDir();
    const { folder, mark } = marking(dir.path);
    writePlugin(dir.path, { "plugin.yaml": YAML.replace("sample", "Sam ple") });
    const ran = await runCliProcess(["plugin", "check", folder, "--yes"]);
    expect([ran.status, existsSync(mark)]).toEqual([7, false]);
    expect(ran.stdout).toContain("found:  plugin.yaml:1:1: name: found");
    expect(ran.stdout).toEndWith("✗ Plugin can't be installed\n");
  });
});

describe("what is wrong on the command line", () => {
  test.each([
    [["--only", "lif"], /there is no check "lif"[^]*did you mean life\?/],
    [["--yes", "--no-run"], /--yes and --no-run exclude each other/],
    [["--timeout", "soon"], /--timeout is "soon", wanted a duration such as "30s"/],
  ])("%p is refused", async (args, message) => {
    await using dir = tempDir();
    const ran = await runCliProcess(["plugin", "check", marking(dir.path).folder, ...args]);
    expect(ran.stderr).toMatch(message);
    expect(ran.status).toBe(2);
  });
});

describe("the report", () => {
  const BROKEN = {
    "plugin.yaml": YAML.replace("[on_deploy_fail]", "[on_deploy_fail, on_alert]"),
    run: `#!/bin/sh\ncat > /dev/null\necho "<working> & \u0001 so on"\necho '{"ok": true}'\n`,
  };

  test(
    "groups the checks, says what was found, wanted and is to be done, and one defect but once",
    async () => {
      await using dir = tempDir();
      const ran = await runCliProcess([
        "plugin",
        "check",
        writePlugin(dir.path, BROKEN),
        "--yes",
        "--only",
        "hook,call",
      ]);
      expect(ran.stdout).toContain(`
Hooks
  ✗ runs with a sample event: on_deploy_fail
      found:  sample: its answer has text before the JSON object; logs belong on standard error in execute (plugin.protocol)
      wanted: an end without an error, within its time
      do:     wanted on standard output: one JSON object, {"ok": true, "result": …} or {"ok": false, "error": "…"}
  – runs with an unusual event: on_deploy_fail (the sample was not taken)
  ✗ runs with a sample event: on_alert
      found:  the same as in “runs with a sample event: on_deploy_fail”
`);
      expect(ran.stdout).toContain("\nCalls of the program\n");
      expect(ran.stdout).toContain("– reads a large request (it did not answer)\n");
      expect(ran.stdout).toEndWith("0 passed, 3 failed, 8 not done\n✗ Plugin has defects\n");
      expect(ran.stderr).toContain("3 checks failed");
      expect(ran.status).toBe(1);
    },
    LONGEST_MS,
  );

  test(
    "is JUnit's XML too, without what XML can't say",
    async () => {
      await using dir = tempDir();
      const file = join(dir.path, "report.xml");
      const folder = writePlugin(dir.path, BROKEN);
      const ran = await runCliProcess(["plugin", "check", folder, "--yes", "--json", "--junit", file]);
      const { results, counts } = JSON.parse(ran.stdout) as {
        results: unknown[];
        counts: Record<string, number>;
      };
      const xml = readFileSync(file, "utf8");
      expect([...xml.matchAll(/<testcase /g)].length).toBe(results.length);
      expect([...xml.matchAll(/<failure type="plugin\.protocol" message="/g)].length).toBe(
        counts["failed"] ?? 0,
      );
      expect([...xml.matchAll(/<skipped /g)].length).toBe(counts["skipped"] ?? 0);
      expect(xml).toContain('<testsuite name="Hooks" tests="4" failures="2" skipped="2">');
      expect(xml).not.toMatch(/(?!\n)\p{Cc}|<working>/u);
      expect(xml).toContain("{&quot;ok&quot;: true");
      const nowhere = await runCliProcess([
        "plugin",
        "check",
        folder,
        "--no-run",
        "--junit",
        join(dir.path, "no/x.xml"),
      ]);
      expect(nowhere.stderr).toContain("can't be written: it does not exist");
      expect(nowhere.status).toBe(2);
    },
    LONGEST_MS,
  );

  test(
    "names what a plugin used of its rights, and what it did not",
    async () => {
      await using dir = tempDir();
      const folder = writePlugin(dir.path, {
        "plugin.toml":
          '[plugin]\nname = "sample"\nversion = "1.0.0"\ntier = 2\n[capabilities]\nrequired = ["notify_send", "metrics_read"]\n[hooks]\non_alert = true\n',
        "index.js":
          'export default { async on_alert(e, ctx) { await ctx.notify.send("ops", "x"); await ctx.logs.query({ service: "web" }).catch(() => {}); } };',
      });
      const ran = await runCliProcess(["plugin", "check", folder]);
      expect(ran.stdout).toContain("    notify_send (required): used 3 times: notify.send ops\n");
      expect(ran.stdout).toContain("    metrics_read (required): not used\n");
      expect(ran.stdout).toContain("    logs_read (not asked for): refused 3 times: logs.query web\n");
      expect(ran.stdout).toContain("! uses what it asks for: metrics_read\n");
      expect(ran.stdout).toContain("✗ asks for what it uses: logs_read\n");
      expect(ran.status).toBe(1);
    },
    LONGEST_MS,
  );
});

test.skipIf(!needs("linux"))(
  "Ctrl-C ends the program, destroys its instances, and leaves nothing",
  async () => {
    await using dir = tempDir();
    const state = join(dir.path, "state");
    const run = [
      "#!/bin/sh",
      "read -r request",
      `case $request in`,
      `  *'"action":"create"'*) echo made >> ${state} ;;`,
      `  *'"action":"start"'*) setsid sleep 600 < /dev/null > /dev/null 2>&1 & touch ${state}.begun; exec sleep 600 ;;`,
      `  *'"action":"destroy"'*) rm -f ${state} ;;`,
      `  *'"action":"status"'*) [ -f ${state} ] && echo '{"ok": true, "result": "created"}' || echo '{"ok": true, "result": "missing"}'; exit 0 ;;`,
      "esac",
      `echo '{"ok": true}'`,
    ].join("\n");
    const folder = writePlugin(dir.path, {
      "plugin.yaml": 'name: sample\nversion: "1.0.0"\ntype: provider\nentrypoint: ./run\n',
      run,
    });
    const temporary = join(dir.path, "tmp");
    mkdirSync(temporary);
    const child = Bun.spawn(cliCommand(["plugin", "check", folder, "--yes", "--only", "life"]), {
      env: { PATH: process.env["PATH"] ?? "", HOME: dir.path, TMPDIR: temporary },
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe",
    });
    await until(() => existsSync(`${state}.begun`), { timeoutMs: 20_000 });
    expect(leftIn(dir.path).length).toBeGreaterThan(1);
    child.kill("SIGINT");
    const [, stderr, status] = await Promise.all([textOf(child.stdout), textOf(child.stderr), child.exited]);
    expect(stderr).toContain("the check was interrupted");
    expect(status).toBe(130);
    expect(existsSync(state)).toBe(false);
    expect(leftIn(dir.path)).toEqual([]);
    expect(readdirSync(temporary)).toEqual([]);
  },
  LONGEST_MS,
);
