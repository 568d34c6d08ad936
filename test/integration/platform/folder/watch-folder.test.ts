/** Being told of changes in a folder: of each, once for a burst, and also where the system says nothing. */
import { expect, test } from "bun:test";
import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { systemClock } from "../../../../src/base/clock.ts";
import { watchFolder } from "../../../../src/platform/folder/watch-folder.ts";
import { tempDir, until } from "../../../harness.ts";

/** A folder with a file in it, watched. */
async function watched(work: (folder: string, calls: () => number) => Promise<void>): Promise<void> {
  await using dir = tempDir();
  const folder = join(dir.path, "watched");
  mkdirSync(folder);
  writeFileSync(join(folder, "a"), "1");
  let calls = 0;
  const watching = watchFolder(folder, systemClock, () => calls++);
  try {
    await until(() => calls === 1, { what: "the first call" });
    await work(folder, () => calls);
  } finally {
    watching.close();
  }
}

test("a change is told, wherever it is", () =>
  watched(async (folder, calls) => {
    const steps = [
      () => writeFileSync(join(folder, "a"), "2"),
      () => writeFileSync(join(folder, "a"), "3"),
      () => mkdirSync(join(folder, "sub/deep"), { recursive: true }),
      () => writeFileSync(join(folder, "sub/deep/b"), "1"),
      () => renameSync(join(folder, "sub/deep/b"), join(folder, "c")),
      () => symlinkSync("a", join(folder, "link")),
      () => rmSync(join(folder, "sub"), { recursive: true }),
    ];
    for (const step of steps) {
      const before = calls();
      step();
      await until(() => calls() > before, { what: step.toString() });
    }
  }));

test(
  "a burst is told once it is over, and a change that never ends is told all the same",
  () =>
    watched(async (folder, calls) => {
      for (let file = 0; file < 200; file++) writeFileSync(join(folder, `f${file}`), "1");
      await until(() => calls() > 1);
      expect(calls()).toBe(2);
      let isOver = false;
      const busy = until(
        () => {
          writeFileSync(join(folder, "busy"), crypto.randomUUID());
          return isOver;
        },
        { timeoutMs: 20_000 },
      );
      await until(() => calls() > 3, { timeoutMs: 20_000, what: "two calls while it goes on" });
      isOver = true;
      await busy;
    }),
  30_000,
);

test(
  "what is put in the place of the folder is watched from then on",
  () =>
    watched(async (folder, calls) => {
      const steps = [
        () => renameSync(folder, `${folder}-old`),
        () => mkdirSync(folder),
        () => writeFileSync(join(folder, "new"), "1"),
        () => writeFileSync(join(folder, "new"), "2"),
      ];
      for (const [index, step] of steps.entries()) {
        const before = calls();
        step();
        // A folder that is empty looks like one that is gone.
        if (index !== 1) await until(() => calls() > before, { timeoutMs: 10_000, what: step.toString() });
      }
      const before = calls();
      writeFileSync(join(`${folder}-old`, "a"), "9");
      writeFileSync(join(folder, "new"), "3");
      await until(() => calls() > before);
    }),
  30_000,
);

test("a folder that is not there yet is told of when it comes", async () => {
  await using dir = tempDir();
  const folder = join(dir.path, "later");
  let calls = 0;
  const watching = watchFolder(folder, systemClock, () => calls++);
  await until(() => calls === 1);
  mkdirSync(folder);
  writeFileSync(join(folder, "a"), "1");
  await until(() => calls === 2, { timeoutMs: 10_000 });
  watching.close();
}, 15_000);

test("after its end nothing is told", async () => {
  await using dir = tempDir();
  let calls = 0;
  const watching = watchFolder(dir.path, systemClock, () => calls++);
  watching.close();
  let heard = 0;
  const other = watchFolder(dir.path, systemClock, () => heard++);
  await until(() => heard === 1);
  writeFileSync(join(dir.path, "a"), "1");
  await until(() => heard === 2);
  other.close();
  expect(calls).toBe(0);
});
