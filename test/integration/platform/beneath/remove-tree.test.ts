/** Removing a folder that somebody else can write into: all of it goes, and nothing that a link in it leads to. */
import { describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, renameSync, symlinkSync, writeFileSync } from "node:fs";
import { lstat, readdir, unlink } from "node:fs/promises";
import { join } from "node:path";
import { LIMITS } from "../../../../src/base/limits.ts";
import { removeTree } from "../../../../src/platform/beneath/remove-tree.ts";
import { codeOf } from "../../../fixtures/rejection.ts";
import { needs, tempDir } from "../../../harness.ts";

const ROUNDS = 300;

function fill(folder: string): void {
  mkdirSync(folder, { recursive: true });
  for (const name of ["a", "b", "c"]) writeFileSync(join(folder, name), name);
}

describe.skipIf(!needs("linux"))("a tree", () => {
  test("is removed with all that is in it; what is not there is fine", async () => {
    await using dir = tempDir();
    fill(join(dir.path, "tree/deep/deeper"));
    fill(join(dir.path, "tree"));
    Bun.spawnSync(["mkfifo", join(dir.path, "tree/pipe")]);
    fill(join(dir.path, "neighbour"));
    for (const _ of ["there", "gone"]) {
      await removeTree(dir.path, "tree");
      expect(readdirSync(dir.path)).toEqual(["neighbour"]);
    }
    expect(readdirSync(join(dir.path, "neighbour")).toSorted()).toEqual(["a", "b", "c"]);
  });

  test("that is too deep is refused, and not followed for ever", async () => {
    await using dir = tempDir();
    mkdirSync(join(dir.path, "tree/".padEnd(5 + 2 * (LIMITS.uploadDepth + 2), "d/")), { recursive: true });
    expect(await codeOf(removeTree(dir.path, "tree"))).toBe("file.failed");
    expect(existsSync(join(dir.path, "tree"))).toBe(true);
  });

  test("in which folders turn into links meanwhile leads nowhere", async () => {
    await using dir = tempDir();
    const [tree, spare, outside] = ["tree", "spare", "outside"].map((name) => join(dir.path, name));
    if (tree === undefined || spare === undefined || outside === undefined) throw new Error("no places");
    const inner = join(tree, "inner");
    let made = 0;
    // What was removed rightly, the link among it, is there again; the swapper is at work, so all appears whole or not at all.
    const put = (make: (path: string) => void, place: string): void => {
      const fresh = join(dir.path, `fresh-${made++}`);
      make(fresh);
      try {
        renameSync(place, join(dir.path, `old-${made}`));
      } catch {
        // Nothing is there.
      }
      try {
        renameSync(fresh, place);
      } catch {
        // Now something is.
      }
    };
    const prepare = (): void => {
      mkdirSync(tree, { recursive: true });
      put(fill, join(spare, "folder"));
      put((path) => symlinkSync(outside, path), join(spare, "link"));
    };
    mkdirSync(spare);
    fill(outside);
    prepare();
    const swapper = Bun.spawn(
      [
        process.execPath,
        join(import.meta.dir, "../../../fixtures/path-swapper.ts"),
        inner,
        join(spare, "folder"),
        join(spare, "link"),
      ],
      { stdout: "pipe" },
    );
    try {
      await swapper.stdout.getReader().read();
      let met = 0;
      for (let round = 0; round < ROUNDS; round++) {
        if ((await codeOf(removeTree(dir.path, "tree"))) !== "ok") met++;
        prepare();
      }
      expect(readdirSync(outside).toSorted()).toEqual(["a", "b", "c"]);
      expect(met).toBeGreaterThan(0);
      // The control: who goes by paths is led out soon.
      for (let round = 0; round < 100 * ROUNDS && readdirSync(outside).length === 3; round++) {
        await removeByPath(inner);
        prepare();
      }
      expect(readdirSync(outside).length).toBeLessThan(3);
    } finally {
      swapper.kill("SIGKILL");
      await swapper.exited;
    }
  }, 60_000);
});

/** Looks that it is no link, then goes on by its name. */
async function removeByPath(folder: string): Promise<void> {
  try {
    if (!(await lstat(folder)).isDirectory()) return;
    for (const name of await readdir(folder)) await unlink(join(folder, name));
  } catch {
    // It was swapped at the wrong moment.
  }
}
