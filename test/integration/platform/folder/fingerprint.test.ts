/** Whether a folder looks touched: by anything that is in it, and by nothing that is not. */
import { expect, test } from "bun:test";
import { chmodSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { LIMITS } from "../../../../src/base/limits.ts";
import { fingerprint as looked, fingerprintNow } from "../../../../src/platform/folder/fingerprint.ts";
import { tempDir } from "../../../harness.ts";

/** Whether it waits or not makes no difference to what it sees. */
async function fingerprint(root: string): Promise<string> {
  const found = await looked(root);
  if (found.entries < LIMITS.fingerprintEntries) expect(fingerprintNow(root)).toEqual(found);
  return found.text;
}

test("each change shows, and looking is none", async () => {
  await using dir = tempDir();
  const at = (path: string): string => join(dir.path, path);
  const seen = new Set([await fingerprint(dir.path)]);
  const steps = [
    () => writeFileSync(at("a"), "1"),
    () => writeFileSync(at("a"), "2"),
    () => chmodSync(at("a"), 0o755),
    () => mkdirSync(at("deep/deeper"), { recursive: true }),
    () => writeFileSync(at("deep/deeper/b"), ""),
    () => symlinkSync("a", at("deep/link")),
    () => renameSync(at("deep/deeper/b"), at("c")),
    () => rmSync(at("deep"), { recursive: true }),
  ];
  for (const [index, step] of steps.entries()) {
    step();
    seen.add(await fingerprint(dir.path));
    seen.add(await fingerprint(dir.path));
    expect(seen.size).toBe(index + 2);
  }
  expect(await fingerprint(at("missing"))).toBe(await fingerprint(at("missing")));
});

test("a link leads nowhere: what is behind it is not looked at", async () => {
  await using dir = tempDir();
  await using other = tempDir();
  mkdirSync(join(dir.path, "deep"));
  symlinkSync(other.path, join(dir.path, "deep/link"));
  symlinkSync("/", join(dir.path, "root"));
  symlinkSync(".", join(dir.path, "loop"));
  const before = await fingerprint(dir.path);
  writeFileSync(join(other.path, "new"), "");
  expect(await fingerprint(dir.path)).toBe(before);
});
