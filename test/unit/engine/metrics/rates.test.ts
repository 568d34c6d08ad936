import { expect, test } from "bun:test";
import { valuesOf, type Look } from "../../../../src/engine/metrics/rates.ts";
import type { InstanceStats } from "../../../../src/engine/providers/provider.ts";

function look(seconds: number, stats: Partial<InstanceStats>, instance = "vx-web-1"): Look {
  return {
    instance,
    monotonicMs: seconds * 1000,
    stats: { run: "first", cpuSeconds: 0, memoryBytes: 1, ...stats },
  };
}

test("the first look has no rates: nobody knows how long the counters took", () => {
  expect(valuesOf(look(10, { cpuSeconds: 500, networkRxBytes: 10, restarts: 2 }), undefined, 2)).toEqual({
    memory_bytes: 1,
    restarts: 2,
  });
});

test("two looks give what was used by the second", () => {
  const before = look(0, { cpuSeconds: 1, networkRxBytes: 100, networkTxBytes: 0, blockReadBytes: 5 });
  const now = look(10, { cpuSeconds: 16, networkRxBytes: 1_100, networkTxBytes: 0, blockReadBytes: 5 });
  expect(valuesOf(now, before, 2)).toMatchObject({
    cpu_percent: 150,
    network_rx_rate: 100,
    network_tx_rate: 0,
    block_read_rate: 0,
  });
  expect(valuesOf(now, before, 2)).not.toHaveProperty("block_write_rate");
});

test("counters that began anew with a restart count from 0", () => {
  const before = look(0, { cpuSeconds: 900, networkRxBytes: 5_000 });
  const now = look(10, { run: "second", cpuSeconds: 2, networkRxBytes: 1_000 });
  expect(valuesOf(now, before, 2)).toMatchObject({ cpu_percent: 20, network_rx_rate: 100 });
});

test("so do those of a new instance, also where they are higher already", () => {
  const before = look(0, { cpuSeconds: 1 });
  const now = look(10, { cpuSeconds: 4 }, "vx-web-2");
  expect(valuesOf(now, before, 2)).toMatchObject({ cpu_percent: 40 });
});

test("a counter that fell within a run is no beginning: nothing was used", () => {
  expect(valuesOf(look(10, { cpuSeconds: 40 }), look(0, { cpuSeconds: 50 }), 2)).toMatchObject({
    cpu_percent: 0,
  });
});

test("nothing uses more processors than there are", () => {
  const now = look(1, { run: "second", cpuSeconds: 100 });
  expect(valuesOf(now, look(0, {}), 2)).toMatchObject({ cpu_percent: 200 });
});
