/**
 * From `emit` to the end of the hook: the real outbox, dispatcher, supervisor and Worker rooms, in this process. Beside it what
 * systems with a program for each hook pay: starting one.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../../src/base/clock.ts";
import { newId } from "../../src/base/ids.ts";
import { silentLog } from "../../src/base/log.ts";
import { compose, type Parts } from "../../src/daemon/compose.ts";
import { loadConfig } from "../../src/daemon/config.ts";
import { makeEvents } from "../../src/engine/events/outbox.ts";
import { sampleEvent } from "../../src/engine/events/samples.ts";
import { makeEventFeed } from "../../src/host/deliveries/feed.ts";
import { makeDispatcher } from "../../src/host/deliveries/dispatcher.ts";
import type { PluginRunner } from "../../src/host/deliveries/plugin-runner.ts";
import { inTransaction, openDatabase } from "../../src/state/database.ts";
import { makeDeliveryRows } from "../../src/state/deliveries.ts";
import { makeEventRows } from "../../src/state/events.ts";
import { median, quantile, timed, type Row } from "./measure.ts";

const SINGLE = 3_000;
const EVENTS = 10_000;
const PLUGINS = 20;
const SPAWNS = 200;

export async function benchDelivery(): Promise<Row[]> {
  const folder = mkdtempSync(join(tmpdir(), "voxeltron-bench-"));
  const config = loadConfig({ dataDir: folder }, { HOME: folder }, 1);
  const parts = compose({ config: () => config, log: silentLog, clock: systemClock });
  try {
    await parts.start();
    for (let i = 0; i < PLUGINS; i++) await install(parts, `bench-${String(i).padStart(2, "0")}`);
    const calls = await guestCalls(parts);
    const single = await latencies(parts, join(folder, "single.db"));
    const many = await throughput(parts, join(folder, "many.db"));
    const spawns: number[] = [];
    for (let i = 0; i < SPAWNS; i++)
      spawns.push(
        await timed(() => Bun.spawn(["/bin/true"], { stdio: ["ignore", "ignore", "ignore"] }).exited),
      );
    const deliveries = EVENTS * PLUGINS;
    return [
      { what: "a call of a running guest, p50", value: median(calls) * 1000, unit: "µs", runs: SINGLE },
      {
        what: "emit → hook done, one plugin, p50",
        value: median(single) * 1000,
        unit: "µs",
        runs: SINGLE,
        aim: "≤ 100 µs",
      },
      {
        what: "emit → hook done, one plugin, p99",
        value: quantile(single, 0.99) * 1000,
        unit: "µs",
        runs: SINGLE,
      },
      {
        what: "starting /bin/true as a hook would be, p50",
        value: median(spawns) * 1000,
        unit: "µs",
        runs: SPAWNS,
      },
      {
        what: `${EVENTS} events to ${PLUGINS} plugins, deliveries`,
        value: deliveries / (many / 1000),
        unit: "/s",
        runs: deliveries,
      },
      { what: `${EVENTS} events to ${PLUGINS} plugins, altogether`, value: many, unit: "ms", runs: 1 },
    ];
  } finally {
    await parts.drain();
    parts.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function install({ plugins }: Parts, name: string): Promise<void> {
  const text = (content: string) => ({ bytes: new TextEncoder().encode(content), executable: false });
  const files = new Map([
    [
      "plugin.toml",
      text(`[plugin]\nname = "${name}"\nversion = "1.0.0"\ntier = 2\n[hooks]\non_deploy_success = true\n`),
    ],
    ["index.ts", text("export default { on_deploy_success(event) { return event.service; } };")],
  ]);
  const { digest } = await plugins.inspect({ files });
  await plugins.install({ source: { files }, digest, grants: [], by: "bench" });
  await plugins.call(name, "on_deploy_success");
}

/** An outbox and a dispatcher of the bench's own, over the daemon's plugins; `onDone` is told when a hook has ended. */
function makeLine({ plugins }: Parts, file: string, limit: number, onDone: () => void) {
  const db = openDatabase(file);
  const events = makeEventRows(db);
  const deliveries = makeDeliveryRows(db);
  const runner: PluginRunner = {
    subscribers: (hook) => plugins.subscribers(hook).slice(0, limit),
    async run(...call) {
      const answer = await plugins.run(...call);
      onDone();
      return answer;
    },
  };
  const outbox = makeEvents({ events, gates: async () => {}, clock: systemClock, newId, log: silentLog });
  const transaction = <T>(work: () => T): T => inTransaction(db, work);
  const feed = makeEventFeed({ events, deliveries });
  const dispatcher = makeDispatcher({
    runner,
    events,
    deliveries,
    transaction,
    feed,
    clock: systemClock,
    log: silentLog,
  });
  outbox.subscribe(() => dispatcher.wake());
  dispatcher.start();
  const {
    id: _id,
    hook: _hook,
    at: _at,
    ...data
  } = sampleEvent("on_deploy_success", { id: newId(), at: "2026-01-01T00:00:00.000Z" });
  return {
    emit: () => outbox.emit("on_deploy_success", data),
    emitMany: (count: number) =>
      inTransaction(db, () => Array.from({ length: count }, () => outbox.emit("on_deploy_success", data))),
    async close() {
      await dispatcher.stop(5_000);
      db.close();
    },
  };
}

async function latencies(parts: Parts, file: string): Promise<number[]> {
  let done = Promise.withResolvers<void>();
  const line = makeLine(parts, file, 1, () => done.resolve());
  const times: number[] = [];
  for (let i = 0; i < SINGLE; i++) {
    done = Promise.withResolvers();
    times.push(await timed(() => (line.emit(), done.promise)));
  }
  await line.close();
  return times;
}

/** The part of it that is not the outbox: supervisor, Worker, guest and back. */
async function guestCalls({ plugins }: Parts): Promise<number[]> {
  const event = sampleEvent("on_deploy_success", { id: newId(), at: "2026-01-01T00:00:00.000Z" });
  const times: number[] = [];
  for (let i = 0; i < SINGLE; i++)
    times.push(await timed(() => plugins.run("bench-00", "on_deploy_success", event)));
  return times;
}

async function throughput(parts: Parts, file: string): Promise<number> {
  const all = Promise.withResolvers<void>();
  let left = EVENTS * PLUGINS;
  const line = makeLine(parts, file, PLUGINS, () => --left === 0 && all.resolve());
  const time = await timed(() => (line.emitMany(EVENTS), all.promise));
  await line.close();
  return time;
}
