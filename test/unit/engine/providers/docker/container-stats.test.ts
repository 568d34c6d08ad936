import { expect, test } from "bun:test";
import type { ContainerInspectInfo, ContainerStats } from "dockerode";
import { containerStats } from "../../../../../src/engine/providers/docker/container-stats.ts";

function info(state: object = {}, memory = 0): ContainerInspectInfo {
  return {
    State: { Running: true, StartedAt: "2026-01-01T00:00:00.000000001Z", ...state },
    RestartCount: 3,
    HostConfig: { Memory: memory },
  } as ContainerInspectInfo;
}

const v2 = {
  cpu_stats: { cpu_usage: { total_usage: 1_500_000_000 } },
  memory_stats: { usage: 1_000, limit: 9_999_999, stats: { inactive_file: 400, file: 600 } },
  networks: { eth0: { rx_bytes: 5, tx_bytes: 6 }, eth1: { rx_bytes: 10, tx_bytes: 20 } },
  blkio_stats: {
    io_service_bytes_recursive: [
      { major: 8, minor: 0, op: "read", value: 100 },
      { major: 8, minor: 0, op: "write", value: 7 },
      { major: 9, minor: 0, op: "read", value: 1 },
    ],
  },
} as unknown as ContainerStats;

test("networks and disks are summed, the file cache is left out, and a limit is one that was set", () => {
  expect(containerStats(info(), v2)).toEqual({
    run: "2026-01-01T00:00:00.000000001Z",
    cpuSeconds: 1.5,
    memoryBytes: 600,
    networkRxBytes: 15,
    networkTxBytes: 26,
    blockReadBytes: 101,
    blockWriteBytes: 7,
    restarts: 3,
  });
  expect(containerStats(info({}, 64), v2)).toMatchObject({ memoryLimitBytes: 64 });
});

test("cgroup v1 has other names for the same", () => {
  const v1 = {
    ...v2,
    memory_stats: { usage: 1_000, stats: { total_inactive_file: 100 } },
    blkio_stats: { io_service_bytes_recursive: [{ major: 8, minor: 0, op: "Read", value: 4 }] },
  } as unknown as ContainerStats;
  expect(containerStats(info(), v1)).toMatchObject({ memoryBytes: 900, blockReadBytes: 4 });
});

test("what the engine leaves out is not known, or nothing", () => {
  const few = {
    cpu_stats: v2.cpu_stats,
    memory_stats: {},
    blkio_stats: { io_service_bytes_recursive: null },
  } as unknown as ContainerStats;
  const stats = containerStats(info(), few);
  expect(stats).toMatchObject({ memoryBytes: 0, blockReadBytes: 0, blockWriteBytes: 0 });
  expect(stats).not.toHaveProperty("networkRxBytes");
});

test("what does not run has no stats, though the engine gives zeros", () => {
  expect(containerStats(info({ Running: false }), v2)).toBeUndefined();
  expect(
    containerStats(info(), { ...v2, cpu_stats: { cpu_usage: { total_usage: 0 } } } as ContainerStats),
  ).toBeUndefined();
});
