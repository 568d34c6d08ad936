/**
 * Brings the locked dependencies when they are not there yet, so that every script works on a fresh clone. Called first by
 * build, check, test, demo and bench; uses nothing that has to be installed.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dir, "..");
const stamp = join(root, "node_modules/.voxeltron-lock");
const lock = readFileSync(join(root, "bun.lock"), "utf8");

if (!existsSync(stamp) || readFileSync(stamp, "utf8") !== lock) {
  const install = Bun.spawnSync([process.execPath, "install", "--frozen-lockfile"], {
    cwd: root,
    stdout: "inherit",
    stderr: "inherit",
  });
  if (install.exitCode !== 0) throw new Error("the dependencies could not be installed");
  writeFileSync(stamp, lock);
}
