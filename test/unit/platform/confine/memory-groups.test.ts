/** Memory groups on a plain folder in the shape of the kernel's, which can't be had in every version on one machine. */
import { describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { systemClock } from "../../../../src/base/clock.ts";
import { makeMemoryGroups } from "../../../../src/platform/confine/cgroup/memory-groups.ts";
import { fakeClock, tempDir, until } from "../../../harness.ts";

const MIB = 1024 * 1024;

describe("memory groups, version 2", () => {
  test("the processes move into a leaf, the controller is handed down, and the group has its limit and its process", async () => {
    await using dir = tempDir();
    writeFileSync(join(dir.path, "cgroup.procs"), "10\n11\n");
    writeFileSync(join(dir.path, "cgroup.subtree_control"), "cpu pids\n");
    const groups = makeMemoryGroups({ kind: "v2", folder: dir.path, crowded: true }, systemClock);
    const group = groups.add(4711, 64 * MIB);
    expect(await group.endedByKernel()).toBe(false);
    const path = join(dir.path, `voxeltron-${process.pid}-4711`);
    expect(readdirSync(path).toSorted()).toEqual(["cgroup.procs", "memory.max", "memory.swap.max"]);
    expect(readFileSync(join(path, "memory.max"), "utf8")).toBe(String(64 * MIB));
    expect(readFileSync(join(path, "memory.swap.max"), "utf8")).toBe("0");
    expect(readFileSync(join(path, "cgroup.procs"), "utf8")).toBe("4711");
    expect(readFileSync(join(dir.path, "cgroup.subtree_control"), "utf8")).toBe("+memory");
    expect(readFileSync(join(dir.path, "voxeltron-daemon/cgroup.procs"), "utf8")).toBe("11");
  });

  test("where the controller is handed down already, or nobody is in the way, nobody is moved", async () => {
    for (const [control, crowded] of [
      ["memory pids", true],
      ["", false],
    ] as const) {
      await using dir = tempDir();
      writeFileSync(join(dir.path, "cgroup.subtree_control"), control);
      await makeMemoryGroups({ kind: "v2", folder: dir.path, crowded }, systemClock)
        .add(1, MIB)
        .endedByKernel();
      expect(existsSync(join(dir.path, "voxeltron-daemon"))).toBe(false);
      expect(existsSync(join(dir.path, `voxeltron-${process.pid}-1`))).toBe(true);
    }
  });

  test("what the kernel ended for its memory is told from its count", async () => {
    await using dir = tempDir();
    writeFileSync(join(dir.path, "cgroup.subtree_control"), "memory");
    const group = makeMemoryGroups({ kind: "v2", folder: dir.path, crowded: false }, systemClock).add(1, MIB);
    await group.endedByKernel();
    const events = join(dir.path, `voxeltron-${process.pid}-1`, "memory.events");
    writeFileSync(events, "low 0\noom 3\noom_kill 0\n");
    expect(await group.endedByKernel()).toBe(false);
    writeFileSync(events, "low 0\noom 3\noom_kill 1\n");
    expect(await group.endedByKernel()).toBe(true);
  });
});

describe("memory groups, version 1", () => {
  test("the group has its limit, its limit with swap and its process", async () => {
    await using dir = tempDir();
    const group = makeMemoryGroups({ kind: "v1", folder: dir.path }, systemClock).add(7, 64 * MIB);
    expect(await group.endedByKernel()).toBe(false);
    const path = join(dir.path, `voxeltron-${process.pid}-7`);
    expect(readFileSync(join(path, "memory.limit_in_bytes"), "utf8")).toBe(String(64 * MIB));
    expect(readFileSync(join(path, "memory.memsw.limit_in_bytes"), "utf8")).toBe(String(64 * MIB));
    expect(readFileSync(join(path, "cgroup.procs"), "utf8")).toBe("7");
    writeFileSync(join(path, "memory.oom_control"), "oom_kill_disable 0\nunder_oom 0\noom_kill 2\n");
    expect(await group.endedByKernel()).toBe(true);
  });

  test("groups of a daemon that is gone are removed, of one that lives are not", async () => {
    await using dir = tempDir();
    const gone = Bun.spawnSync(["true"]).pid;
    for (const name of [`voxeltron-${gone}-5`, "voxeltron-1-5", "other"]) mkdirSync(join(dir.path, name));
    await makeMemoryGroups({ kind: "v1", folder: dir.path }, systemClock).add(7, MIB).endedByKernel();
    expect(readdirSync(dir.path).toSorted()).toEqual(
      ["other", `voxeltron-${process.pid}-7`, "voxeltron-1-5"].toSorted(),
    );
  });

  test("a group that is not empty yet is removed once it is", async () => {
    await using dir = tempDir();
    const clock = fakeClock();
    const group = makeMemoryGroups({ kind: "v1", folder: dir.path }, clock).add(7, MIB);
    await group.endedByKernel();
    const path = join(dir.path, `voxeltron-${process.pid}-7`);
    const removed = group.remove();
    for (const name of readdirSync(path)) await Bun.file(join(path, name)).delete();
    await until(async () => (await clock.advance(50), !existsSync(path)));
    await removed;
  });
});

test("where no group can be had or made, nothing fails", async () => {
  const none = makeMemoryGroups({ kind: "none", why: "tried" }, systemClock).add(1, MIB);
  expect(await none.endedByKernel()).toBe(false);
  await none.remove();
  const lost = makeMemoryGroups({ kind: "v1", folder: "/nowhere" }, systemClock).add(1, MIB);
  expect(await lost.endedByKernel()).toBe(false);
  await lost.remove();
});
