/** What can be seen and checked while no daemon runs. */
import { describe, expect, test } from "bun:test";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { makeGuestWasm } from "../../../scripts/guest-wasm/make-guest-wasm.ts";
import { databaseFile, packagesDir } from "../../../src/base/paths.ts";
import { digestOf } from "../../../src/host/package/digest.ts";
import { bundleDigest, makePackageStore } from "../../../src/host/package/package-store.ts";
import { openDatabase } from "../../../src/state/database.ts";
import { makeGrantRows } from "../../../src/state/grants.ts";
import { makePluginRows } from "../../../src/state/plugins.ts";
import { tempDir } from "../../harness.ts";
import { runCliProcess } from "./run-cli.ts";
import { pluginRow } from "../../fixtures/plugin-row.ts";

const manifest = `[plugin]
name = "notifier"
version = "1.2.3"
description = "tells"
tier = 2

[capabilities]
required = ["notify_send"]
optional = ["logs_read"]

[hooks]
on_deploy_success = true
`;

/** A data directory as a daemon leaves it that has one plugin. Gives the path of the plugin's code. */
async function dataWithPlugin(dataDir: string): Promise<string> {
  const bytes = (text: string) => ({ bytes: new TextEncoder().encode(text), executable: false });
  const files = new Map([
    ["plugin.toml", bytes(manifest)],
    ["index.ts", bytes("export default {}")],
  ]);
  const digest = digestOf(files);
  const bundle = { code: "1", sourceMap: undefined };
  const store = makePackageStore(packagesDir(dataDir));
  await store.place(await store.stage(files, bundle), "notifier", digest);
  const db = openDatabase(databaseFile(dataDir));
  makePluginRows(db).put({
    ...pluginRow,
    name: "notifier",
    version: "1.2.3",
    digest,
    bundleDigest: bundleDigest(bundle),
    manifest,
  });
  makeGrantRows(db).put("notifier", digest, {
    capability: "notify_send",
    scope: null,
    grantedBy: "root",
    grantedAt: "2026-01-01T00:00:00.000Z",
  });
  db.close();
  return join(store.path("notifier", digest), "files/index.ts");
}

describe("plugin list and info", () => {
  test("show what the data directory holds, and say that no daemon answers", async () => {
    await using dir = tempDir();
    await dataWithPlugin(dir.path);
    const list = await runCliProcess(["--data-dir", dir.path, "plugin", "list", "--json"]);
    expect(JSON.parse(list.stdout)).toMatchObject([
      { name: "notifier", version: "1.2.3", tier: 2, state: "enabled" },
    ]);
    expect(list.stderr).toBe(`note: no daemon answers; this is what ${dir.path} holds\n`);
    expect(list.status).toBe(0);
    const info = await runCliProcess(["--data-dir", dir.path, "plugin", "info", "notifier"]);
    expect(info.stdout).toMatch(
      /^notify_send \(Medium, required\) +everything +everything +everything +never +-$/m,
    );
    expect(info.stdout).toMatch(
      /^logs_read \(Low, optional\) +everything +no +nothing +never +not granted$/m,
    );
    expect(info.stdout).toContain("notify_send: granted 2026-01-01T00:00:00.000Z by root\n");
    const none = await runCliProcess(["--data-dir", dir.path, "plugin", "info", "other"]);
    expect(none.stderr).toContain('no plugin is called "other"');
    expect(none.status).toBe(4);
  });

  test("show a plugin whose files were changed as tampered", async () => {
    await using dir = tempDir();
    writeFileSync(await dataWithPlugin(dir.path), "export default 1");
    const list = await runCliProcess(["--data-dir", dir.path, "plugin", "list", "--json"]);
    expect(JSON.parse(list.stdout)).toMatchObject([{ name: "notifier", state: "tampered" }]);
  });

  test("leave the data as it was", async () => {
    await using dir = tempDir();
    await dataWithPlugin(dir.path);
    const before = await Bun.file(databaseFile(dir.path)).bytes();
    await runCliProcess(["--data-dir", dir.path, "plugin", "list"]);
    expect(await Bun.file(databaseFile(dir.path)).bytes()).toEqual(before);
  });

  test("say that the daemon is not there where there is nothing to look at, and create nothing", async () => {
    await using dir = tempDir();
    const dataDir = join(dir.path, "none");
    const list = await runCliProcess(["--data-dir", dataDir, "plugin", "list"]);
    expect(list.stdout).toBe("");
    expect(list.stderr).toContain(`hint: start it with: voxeltron daemon --data-dir ${dataDir}`);
    expect(list.status).toBe(3);
    expect(await Bun.file(dataDir).exists()).toBe(false);
  });

  test("what changes something needs the daemon", async () => {
    await using dir = tempDir();
    await dataWithPlugin(dir.path);
    const ran = await runCliProcess(["--data-dir", dir.path, "plugin", "disable", "notifier"]);
    expect(ran.status).toBe(3);
  });
});

describe("plugin check", () => {
  test("shows what would be asked, and ends well", async () => {
    await makeGuestWasm();
    await using dir = tempDir();
    write(dir.path, { "plugin.toml": manifest, "index.ts": "export default { on_deploy_success() {} }" });
    const ran = await runCliProcess(["plugin", "check", dir.path]);
    expect(ran.stdout).toContain(
      "Plugin: notifier v1.2.3\nRequires capabilities:\n  • notify_send (Medium risk)\n",
    );
    expect(ran.stdout).toEndWith("✓ Plugin can be installed\n");
    expect(ran.status).toBe(0);
  });

  test("names what is wrong, and ends with 7", async () => {
    await using dir = tempDir();
    write(dir.path, { "plugin.toml": manifest.replace("notify_send", "notfy_send"), "index.ts": "" });
    const ran = await runCliProcess(["plugin", "check", dir.path]);
    expect(ran.stdout).toContain("plugin.toml:8");
    expect(ran.status).toBe(7);
    rmSync(join(dir.path, "plugin.toml"));
    const missing = await runCliProcess(["plugin", "check", dir.path, "--json"]);
    expect(JSON.parse(missing.stdout)).toMatchObject({
      ok: false,
      problems: [{ level: "error", code: "manifest.missing" }],
      candidate: null,
    });
    expect(missing.status).toBe(7);
  });
});

describe("config check", () => {
  test("says that a good file is good, and what is wrong with a bad one", async () => {
    await using dir = tempDir();
    const file = join(dir.path, "config.toml");
    writeFileSync(file, 'log_level = "debug"\n');
    expect(await runCliProcess(["config", "check", file])).toMatchObject({
      stdout: `${file} is valid\n`,
      status: 0,
    });
    writeFileSync(file, 'log_level = "debug"\nlog_levl = "x"\n');
    const bad = await runCliProcess(["--config", file, "config", "check"]);
    expect(bad.stderr).toContain(`${file}:2`);
    expect(bad.stderr).toContain('did you mean "log_level"?');
    expect(bad.status).toBe(7);
  });
});

// --- internal ---

function write(root: string, files: Readonly<Record<string, string>>): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
}
