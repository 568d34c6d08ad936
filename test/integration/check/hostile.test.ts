/** Executables that mean harm to who checks them: the check ends, says what there is to say, and leaves neither a process nor a file. */
import { describe, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { needs, tempDir } from "../../harness.ts";
import { runCheck, writePlugin, type CheckRun } from "./checked.ts";

const LONGEST_MS = 120_000;
const YAML = 'name: hostile\nversion: "1.0.0"\ntype: hook\nentrypoint: ./run\nevents: [on_deploy_fail]\n';

/** Command lines with the mark in them. */
function running(mark: string): string[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        const command = readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
        return command.includes(mark) ? [command] : [];
      } catch {
        return [];
      }
    });
}

/** `script` is run after the request was read, with $MARK for a number that nobody else sleeps. */
async function attack(script: string): Promise<CheckRun & { readonly said: string[] }> {
  await using dir = tempDir();
  const mark = `9${Math.floor(Math.random() * 1e8)}`;
  const run = `#!/bin/sh\nread -r request\nMARK=${mark}\n${script}\necho '{"ok": true}'\n`;
  const ran = await runCheck(writePlugin(dir.path, { "plugin.yaml": YAML, run }), dir.path, [
    "--yes",
    "--timeout",
    "3s",
  ]);
  expect(running(mark)).toEqual([]);
  expect(readdirSync(join(dir.path, "tmp"))).toEqual([]);
  const said = ran.report.results
    .filter(({ outcome }) => outcome === "failed")
    .map(({ check, found = "" }) => `${check}: ${found}`);
  return { ...ran, said };
}

describe.skipIf(!needs("linux"))("an executable that", () => {
  test(
    "starts a hundred processes outside of its group, without its environment",
    async () => {
      const { said, status } = await attack(
        "i=0; while [ $i -lt 100 ]; do env -i /usr/bin/setsid /bin/sleep $MARK < /dev/null > /dev/null 2>&1 & i=$((i+1)); done",
      );
      expect(said.find((line) => line.startsWith("traces.processes"))).toMatch(/and \d\d+ more/);
      expect(status).toBe(1);
    },
    LONGEST_MS,
  );

  test(
    "has two that start each other again",
    async () => {
      const guard = 'trap "" TERM; while :; do sleep $1 & wait $!; done';
      const { said } = await attack(
        `for i in 1 2 3; do setsid sh -c '${guard}' guard $MARK < /dev/null > /dev/null 2>&1 & done`,
      );
      expect(said.find((line) => line.startsWith("traces.processes"))).toContain("guard");
    },
    LONGEST_MS,
  );

  test(
    "removes the folder that it is in",
    async () => {
      const { said, status } = await attack('rm -rf "$PWD"');
      expect(said.find((line) => line.startsWith("traces.files"))).toContain(
        "plugin.yaml was removed (after execute)",
      );
      expect(status).toBe(1);
    },
    LONGEST_MS,
  );

  test(
    "fills its folder with what can't be removed by its names",
    async () => {
      const { said } = await attack(
        "mkdir -p a/b; ln -s / a/root; mkfifo a/pipe; touch a/b/c; chmod 000 a/b",
      );
      expect(said.find((line) => line.startsWith("traces.files"))).toContain("is new");
      expect(readdirSync("/").length).toBeGreaterThan(5);
    },
    LONGEST_MS,
  );

  test(
    "stops itself, and refuses to be ended",
    async () => {
      const { said } = await attack("trap '' TERM INT HUP; kill -STOP $$");
      expect(said[0]).toMatch(/hook\.sample: hostile did not answer execute within 3 s/);
    },
    LONGEST_MS,
  );

  test(
    "writes to both of its outputs without end",
    async () => {
      const { said } = await attack("cat /dev/zero >&2 & exec cat /dev/zero");
      expect(said[0]).toMatch(/wrote more than 8 MiB/);
    },
    LONGEST_MS,
  );

  test(
    "tells lies that move a cursor",
    async () => {
      const { stdout, said } = await attack(
        String.raw`printf '{"ok": false, "error": "\\u001b[2J\\u202egone"}'; exit 0`,
      );
      expect(said[0]).toContain("[2Jgone");
      expect(stdout).not.toMatch(/(?!\n)[\p{Cc}\p{Cf}]/u);
    },
    LONGEST_MS,
  );

  test(
    "is as it should be passes in the same place",
    async () => {
      const { said, status } = await attack("true");
      expect([said, status]).toEqual([[], 0]);
    },
    LONGEST_MS,
  );
});

test.skipIf(!needs("linux"))(
  "one that ignores what is behind it can't keep the check from ending",
  async () => {
    await using dir = tempDir();
    const began = performance.now();
    const folder = writePlugin(dir.path, {
      "plugin.yaml": YAML.replace(
        "[on_deploy_fail]",
        "[on_deploy_start, on_deploy_success, on_deploy_fail, on_alert]",
      ),
      run: "#!/bin/sh\nexec sleep 600\n",
    });
    const { report } = await runCheck(folder, dir.path, ["--yes", "--timeout", "500ms"]);
    expect(report.results.filter(({ code }) => code === "plugin.timeout").length).toBe(2);
    expect(
      report.results.filter(({ note = "" }) => note.includes("did not answer in time 2 times")).length,
    ).toBe(3);
    expect(performance.now() - began).toBeLessThan(30_000);
  },
  LONGEST_MS,
);
