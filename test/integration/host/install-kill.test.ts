/** kill -9 in the middle of installs: what is found afterwards is one version or another, never a part of one. */
import { expect, test } from "bun:test";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { digestOf } from "../../../src/host/package/digest.ts";
import { tempDir } from "../../harness.ts";
import { loopVersions, versionOf } from "./install-versions.ts";
import { eventOf, makeWorld } from "./world.ts";

const ROUNDS = 12;

test("an install that is killed at any moment leaves the old version or the new one", async () => {
  await using dir = tempDir();
  let leftOver = 0;
  for (let round = 0; round < ROUNDS; round++) {
    await killDuringInstalls(dir.path);
    const staging = join(dir.path, "packages/.staging");
    if (existsSync(staging) && readdirSync(staging).length > 0) leftOver += 1;

    const world = makeWorld(dir.path);
    await world.plugins.sweep();
    const info = await world.plugins.info("sample");
    expect(info.state).toBe("enabled");
    expect(loopVersions as readonly string[]).toContain(info.version);
    expect(info.digest).toBe(digestOf(versionOf(info.version)));
    const capability = info.version === "2.0.0" ? "notify_send" : "logs_read";
    expect(info.granted.map((each) => each.capability)).toEqual([capability]);
    expect(
      await world.plugins.run("sample", "on_deploy_success", eventOf("on_deploy_success")),
    ).toMatchObject({
      version: info.version,
    });
    expect(readdirSync(join(dir.path, "packages"))).toEqual(["sample"]);
    const digests = [info, ...info.versions].map(({ digest }) => digest.slice(7, 23));
    expect(readdirSync(join(dir.path, "packages/sample")).toSorted()).toEqual(digests.toSorted());
    for (const { version, digest } of info.versions) expect(digest).toBe(digestOf(versionOf(version)));
    await world.close();
  }
  // The control: at least some of the kills did hit an install.
  expect(leftOver).toBeGreaterThan(0);
}, 30_000);

async function killDuringInstalls(dataDir: string): Promise<void> {
  await using child = Bun.spawn([process.execPath, join(import.meta.dir, "install-loop.ts"), dataDir], {
    env: { PATH: process.env["PATH"] ?? "" },
    stdout: "pipe",
    stderr: "inherit",
  });
  const reader = child.stdout.getReader();
  await reader.read();
  await Bun.sleep(Math.random() * 60);
  child.kill("SIGKILL");
  await child.exited;
}
