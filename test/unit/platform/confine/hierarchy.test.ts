import { describe, expect, test } from "bun:test";
import { findMemoryHierarchy } from "../../../../src/platform/confine/cgroup/hierarchy.ts";

const V1_MOUNT = "35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory";
const UNIFIED_BESIDE_V1 = "41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw";
const V2_MOUNT = "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 master:1 - cgroup2 cgroup2 rw,nsdelegate";

describe("where a process stands among the memory groups", () => {
  test.each([
    [
      "version 1",
      "9:name=systemd:/\n4:memory:/app/x\n0::/\n",
      `${UNIFIED_BESIDE_V1}\n${V1_MOUNT}\n`,
      1,
      "/sys/fs/cgroup/memory/app/x",
    ],
    [
      "version 1, together with another controller",
      "3:cpu,memory:/x\n",
      "35 31 0:32 / /cg rw - cgroup cgroup rw,cpu,memory\n",
      1,
      "/cg/x",
    ],
    [
      "version 2",
      "0::/system.slice/voxeltron.service\n",
      V2_MOUNT,
      2,
      "/sys/fs/cgroup/system.slice/voxeltron.service",
    ],
    ["version 2 in a container with its own view", "0::/\n", V2_MOUNT, 2, "/sys/fs/cgroup"],
    [
      "version 1 in a container that is shown its own part of the tree",
      "4:memory:/docker/abc\n",
      "35 31 0:32 /docker/abc /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n",
      1,
      "/sys/fs/cgroup/memory",
    ],
    [
      "a mount with a space in its name",
      "0::/x\n",
      "30 23 0:26 / /my\\040groups rw - cgroup2 cgroup2 rw\n",
      2,
      "/my groups/x",
    ],
  ] as const)("%s", (_, groups, mounts, version, folder) => {
    expect(findMemoryHierarchy(groups, mounts)).toMatchObject({ version, folder });
  });

  test.each([
    ["nothing is mounted", "4:memory:/\n0::/\n", ""],
    ["the group is above what a container is shown", "0::/../../other\n", V2_MOUNT],
    [
      "the group is beside what is mounted",
      "4:memory:/b\n",
      "35 31 0:32 /a /cg rw - cgroup cgroup rw,memory\n",
    ],
    ["memory is in no hierarchy", "3:cpu:/\n", V1_MOUNT],
    ["lines that are none", "nonsense\n:::\n4:memory\n", "nonsense\n - \n"],
    ["no text at all", "", ""],
  ])("none: %s", (_, groups, mounts) => {
    expect(findMemoryHierarchy(groups, mounts)).toBeUndefined();
  });
});
