/** Files of plugins in the compiled executable: from a hook to the disk and back, in both JavaScript rooms. */
import { describe, expect, test } from "bun:test";
import { mkdirSync, readFileSync, readdirSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { needs } from "../harness.ts";
import { makeMachine } from "./machine.ts";

const PLUGIN = {
  "plugin.toml": `
[plugin]
name = "scribe"
version = "1.0.0"
tier = 2
[capabilities]
required = ["fs_read", "fs_write"]
[hooks]
on_alert = true`,
  "index.js": `
const codeOf = (promise) => promise.then(() => "ok", ({ code }) => code);
export default {
  async on_alert(event, { fs }) {
    await fs.mkdir("files/reports/deep", { parents: true });
    await fs.write("files/reports/a.txt", "héllo");
    await fs.append("files/reports/a.txt", new Uint8Array([33]));
    await fs.write("files/reports/bytes", new Uint8Array([0, 255, 128]));
    await fs.rename("files/reports/bytes", "files/reports/deep/bytes");
    return {
      text: await fs.readText("files/reports/a.txt"),
      bytes: [...(await fs.read("files/reports/deep/bytes", { offset: 1 }))],
      list: await fs.list("files/reports"),
      type: (await fs.stat("files/reports")).type,
      codes: {
        outside: await codeOf(fs.read("files/../secret.key")),
        link: await codeOf(fs.read("files/reports/link/voxeltron.db")),
        scope: await codeOf(fs.write("files/elsewhere", "")),
        missing: await codeOf(fs.read("files/reports/none")),
        backup: await codeOf(fs.write("backups/x", "")),
        limit: await codeOf(fs.write("files/reports/large", "x".repeat(40_000))),
      },
    };
  },
};`,
};

describe.skipIf(!needs("compiled") || !needs("confinement"))("a plugin's files", () => {
  test.each(["worker", "process"])("are written and read from a hook in a %s", async (isolation) => {
    await using machine = makeMachine();
    await machine.start({ VOXELTRON_PLUGINS_FILES_MAX_BYTES: "64 KiB" });
    mkdirSync(join(machine.dataDir, "files/reports"), { recursive: true });
    symlinkSync(machine.dataDir, join(machine.dataDir, "files/reports/link"));
    const folder = machine.write("scribe", PLUGIN);
    const words = ["--grant", "fs_read", "--grant", "fs_write=files/reports", "--isolation", isolation];
    expect(await machine.cli("plugin", "install", folder, ...words)).toMatchObject({ status: 0 });
    const event = join(machine.folder, "event.json");
    writeFileSync(
      event,
      JSON.stringify({
        name: "disk",
        state: "firing",
        metric: "disk",
        value: 1,
        threshold: 1,
        since: "2026-01-01T00:00:00.000Z",
        message: "full",
      }),
    );
    expect(await machine.json("plugin", "call", "scribe", "on_alert", "--event", event)).toMatchObject({
      result: {
        text: "héllo!",
        bytes: [255, 128],
        list: [
          { name: "a.txt", type: "file", size: 7 },
          { name: "deep", type: "directory", size: 0 },
          { name: "link", type: "other", size: 0 },
        ],
        type: "directory",
        codes: {
          outside: "capability.out_of_scope",
          link: "capability.out_of_scope",
          scope: "capability.out_of_scope",
          missing: "file.not_found",
          backup: "capability.out_of_scope",
          limit: "capability.limit",
        },
      },
    });
    expect(readFileSync(join(machine.dataDir, "files/reports/a.txt"), "utf8")).toBe("héllo!");
    expect(statSync(join(machine.dataDir, "files/reports/a.txt")).mode & 0o777).toBe(0o600);
    expect(readdirSync(join(machine.dataDir, "files"))).toEqual(["reports"]);
  });
});
