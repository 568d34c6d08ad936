/** What has to hold for the reference plugins as files. */
import { describe, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { embeddedPlugins } from "../../src/daemon/embedded-plugins.ts";
import { parseExecManifest } from "../../src/host/manifest/exec-manifest.ts";

const root = join(import.meta.dir, "../../plugins");
const PROVIDERS = ["lxc", "podman"] as const;

describe("the reference plugins", () => {
  test("are all in the executable, their programs ready to run", () => {
    const embedded = embeddedPlugins();
    expect([...embedded.keys()]).toEqual(["deploy-notifier", ...PROVIDERS]);
    for (const name of PROVIDERS) {
      const files = embedded.get(name) ?? new Map();
      const programs = [...files].filter(([, file]) => file.executable).map(([path]) => path);
      expect(programs).toEqual(["provider.py"]);
      expect([...files.keys()].filter((path) => path.includes("__pycache__"))).toEqual([]);
    }
  });

  test.each([...PROVIDERS])("%s has a manifest of its name that offers all optional actions", (name) => {
    const manifest = parseExecManifest(readFileSync(join(root, name, "plugin.yaml")));
    expect(manifest).toMatchObject({ name, main: "provider.py" });
    expect(manifest.provider?.actions).toEqual(["logs", "stats", "exec"]);
  });

  test("share files that are the same to the letter, because each must stand alone", () => {
    const shared = readdirSync(join(root, "podman")).filter((file) =>
      readFileSync(join(root, "podman", file), "utf8").includes("The same file is in each of"),
    );
    expect(shared.toSorted()).toEqual([
      "cgroup.py",
      "logfile.py",
      "protocol.py",
      "spec.py",
      "tool.py",
      "turns.py",
    ]);
    for (const file of shared)
      expect(readFileSync(join(root, "lxc", file), "utf8")).toBe(
        readFileSync(join(root, "podman", file), "utf8"),
      );
  });
});
