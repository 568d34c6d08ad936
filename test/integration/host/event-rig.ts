/** The path of an event on a real database file, with plugins that are functions of the test. */
import { join } from "node:path";
import { fail } from "../../../src/base/errors.ts";
import { newId } from "../../../src/base/ids.ts";
import { silentLog } from "../../../src/base/log.ts";
import type { Clock } from "../../../src/base/clock.ts";
import type { Events } from "../../../src/engine/events/events.ts";
import { makeEvents } from "../../../src/engine/events/outbox.ts";
import { sampleEvent } from "../../../src/engine/events/samples.ts";
import { makeEventFeed, type EventView } from "../../../src/host/deliveries/feed.ts";
import { makeDispatcher } from "../../../src/host/deliveries/dispatcher.ts";
import { makeGates } from "../../../src/host/deliveries/gates.ts";
import type { PluginRunner } from "../../../src/host/deliveries/plugin-runner.ts";
import type { HookName, VoxeltronEvent } from "../../../src/sdk/index.ts";
import { inTransaction, openDatabase } from "../../../src/state/database.ts";
import { makeDeliveryRows } from "../../../src/state/deliveries.ts";
import { makeEventRows } from "../../../src/state/events.ts";
import { fakeClock, tempDir, until } from "../../harness.ts";

export type Handler = (event: VoxeltronEvent, signal?: AbortSignal) => unknown;

/** A plugin: what it does, and what the operator did to it. */
export interface FakePlugin {
  run: Handler;
  /** Of all hooks, or of these. */
  readonly gate?: boolean | readonly HookName[];
  readonly hooks?: readonly HookName[];
  state?: "enabled" | "disabled" | "tampered";
}

export type FakePlugins = Map<string, FakePlugin>;

/** Says what the real plugin host says of a plugin that is disabled, tampered with or gone. */
export function fakeRunner(plugins: FakePlugins): PluginRunner {
  return {
    subscribers: (hook) =>
      [...plugins]
        .filter(([, { hooks, state }]) => state !== "disabled" && (hooks?.includes(hook) ?? true))
        .map(([plugin, { gate = false }]) => ({
          plugin,
          gate: typeof gate === "boolean" ? gate : gate.includes(hook),
        }))
        .toSorted((a, b) => (a.plugin < b.plugin ? -1 : 1)),
    async run(plugin, _hook, event, signal) {
      const found = plugins.get(plugin);
      if (found === undefined) throw fail("plugin.not_found", `no plugin is called ${plugin}`);
      if (found.state === "disabled") throw fail("plugin.disabled", `${plugin} is disabled`);
      if (found.state === "tampered") throw fail("plugin.tampered", `${plugin} has changed`);
      return found.run(event, signal);
    },
  };
}

/** The daemon's wiring, over a database file that outlives it. */
export function openRig(path: string, plugins: FakePlugins, clock: Clock) {
  const db = openDatabase(path);
  const rows = { events: makeEventRows(db), deliveries: makeDeliveryRows(db) };
  const runner = fakeRunner(plugins);
  const transaction = <T>(work: () => T): T => inTransaction(db, work);
  const feed = makeEventFeed(rows);
  const dispatcher = makeDispatcher({ ...rows, runner, transaction, feed, clock, log: silentLog });
  const caughtUp = (plugin: string) => dispatcher.caughtUp(plugin);
  const gates = makeGates({ runner, deliveries: rows.deliveries, feed, caughtUp, clock, log: silentLog });
  const events = makeEvents({ events: rows.events, gates, clock, newId, log: silentLog });
  events.subscribe(() => dispatcher.wake());
  return { db, rows, runner, transaction, feed, dispatcher, gates, events };
}

/** One daemon with a fake clock, started, in a folder of its own. */
export function startRig(plugins: FakePlugins = new Map()) {
  const dir = tempDir();
  const clock = fakeClock();
  const path = join(dir.path, "state.db");
  const rig = openRig(path, plugins, clock);
  rig.dispatcher.start();
  return {
    ...rig,
    path,
    clock,
    plugins,
    emit: (service: string, hook: "on_deploy_start" | "on_deploy_success" = "on_deploy_success") =>
      emitDeploy(rig.events, service, hook),
    delivery: (id: string, plugin: string) => deliveryOf(rig.feed.find(id), plugin),
    /** Waits until the delivery looks like this; the clock stands still meanwhile. */
    async becomes(id: string, plugin: string, wanted: string) {
      await until(() => describeDelivery(rig.feed.find(id), plugin) === wanted, {
        what: `${plugin} ${wanted}, found ${describeDelivery(rig.feed.find(id), plugin)}`,
      });
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([rig.dispatcher.stop(0), clock.advance(0)]);
      rig.db.close();
      await dir[Symbol.asyncDispose]();
    },
  };
}

export function emitDeploy(
  events: Events,
  service: string,
  hook: "on_deploy_start" | "on_deploy_success" = "on_deploy_success",
) {
  return events.emit(hook, deployData(service));
}

export function deployData(service: string) {
  const { id: _id, at: _at, hook: _hook, ...data } = sampleEvent("on_deploy_success", { id: "", at: "" });
  return { ...data, service };
}

/** The service that the event is about: how tests tell events apart. */
export function serviceOf(event: VoxeltronEvent): string {
  return "service" in event ? event.service : "";
}

/** `done 1`, or `absent`. */
export function describeDelivery(view: EventView | undefined, plugin: string): string {
  const delivery = deliveryOf(view, plugin);
  return delivery === undefined ? "absent" : `${delivery.state} ${delivery.attempts}`;
}

// --- internal ---

function deliveryOf(view: EventView | undefined, plugin: string) {
  return view?.deliveries.find((delivery) => delivery.plugin === plugin);
}
