/**
 * A daemon on a machine that can't confine: it runs and says so, and no plugin's code is read by a process that is not confined. What
 * is missing here are native calls, without which nothing can be asked of the kernel: they need the engine's compiler.
 */
import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Examination } from "../../../src/api/operations.ts";
import { needs, tempDir, until } from "../../harness.ts";
import { cliEnvironment, runCliProcess } from "../cli/run-cli.ts";

const MAIN = join(import.meta.dir, "../../../src/main.ts");

function startDaemon(dataDir: string, environment: Readonly<Record<string, string>>) {
  const child = Bun.spawn([process.execPath, MAIN, "daemon", "--data-dir", dataDir], {
    env: cliEnvironment(environment),
    stdout: "ignore",
    stderr: "pipe",
  });
  let log = "";
  void (async () => {
    const decoder = new TextDecoder();
    for await (const chunk of child.stderr) log += decoder.decode(chunk, { stream: true });
  })();
  return {
    ready: () => until(() => log.includes(" ready "), { what: `the daemon: ${log}`, timeoutMs: 15_000 }),
    log: () => log,
    async [Symbol.asyncDispose]() {
      child.kill("SIGTERM");
      await child.exited;
    },
  };
}

function writePlugin(folder: string): void {
  const toml = '[plugin]\nname = "sample"\nversion = "1.0.0"\ntier = 2\n[hooks]\non_alert = true\n';
  writeFileSync(join(folder, "plugin.toml"), toml);
  writeFileSync(join(folder, "index.ts"), "export default { on_alert() {} };");
}

const WITHOUT = { BUN_JSC_useJIT: "0" };

test.skipIf(!needs("linux"))(
  "what can't be confined is not started, whatever is allowed",
  async () => {
    await using dir = tempDir();
    await using plugin = tempDir();
    writePlugin(plugin.path);
    await using daemon = startDaemon(dir.path, { ...WITHOUT, VOXELTRON_PLUGINS_ALLOW_UNCONFINED: "true" });
    await daemon.ready();
    const cli = (...words: readonly string[]) => runCliProcess(["--data-dir", dir.path, ...words]);
    expect(daemon.log()).toContain("processes can't be confined here");

    const install = await cli("plugin", "install", plugin.path, "--yes", "--json");
    expect(JSON.parse(install.stderr)).toMatchObject({ error: { code: "confinement.unavailable" } });
    expect(install.status).toBe(9);
    expect(JSON.parse((await cli("plugin", "list", "--json")).stdout)).toEqual([]);

    const info = JSON.parse((await cli("daemon", "info", "--json")).stdout) as { confinement: unknown };
    expect(info.confinement).toEqual({
      state: "unavailable",
      missing: [expect.stringContaining("without native calls") as string],
    });
    const doctor = await cli("doctor", "--json");
    const seen = JSON.parse(doctor.stdout) as Examination;
    expect(seen).toMatchObject({ where: "daemon", ok: false });
    expect(seen.findings).toContainEqual(
      expect.objectContaining({ name: "confinement.system", ok: false, required: true }) as never,
    );
    expect(seen.findings.map(({ name }) => name)).not.toContain("confinement.trial");
    expect(doctor.status).toBe(1);
  },
  30_000,
);

test.skipIf(!needs("linux"))(
  "the control: the same daemon with native calls takes the plugin",
  async () => {
    await using dir = tempDir();
    await using plugin = tempDir();
    writePlugin(plugin.path);
    await using daemon = startDaemon(dir.path, {});
    await daemon.ready();
    const ran = await runCliProcess(["--data-dir", dir.path, "plugin", "install", plugin.path, "--yes"]);
    expect(ran.stdout).toBe("✓ Plugin installed and enabled\n");
    expect(daemon.log()).not.toContain("confined");
  },
  30_000,
);
