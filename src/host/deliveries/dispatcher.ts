/**
 * Brings events to the plugins that observe them: at least once, in order for each plugin, over restarts and crashes.
 * Each plugin has a queue of its own (deliveries/queue.ts), so one that fails delays nobody else. A plugin that is disabled or
 * tampered with keeps what was pending until it may run again; what happens while it is disabled is not for it; what was
 * pending for a removed one is given up. Made in daemon/compose-host.ts: `wake` listens to the outbox, `pluginChanged` to the
 * plugin host.
 */
import { timestamp, type Clock } from "../../base/clock.ts";
import { fail, messageOf } from "../../base/errors.ts";
import type { Log } from "../../base/log.ts";
import { quote } from "../../base/text.ts";
import type { DeliveryRows } from "../../state/deliveries.ts";
import type { EventRows } from "../../state/events.ts";
import type { EventFeed, EventView } from "./feed.ts";
import { before } from "./before.ts";
import { makeFanOut, observersOf } from "./fan-out.ts";
import { makeJournal } from "./journal.ts";
import { makeQueue, type Queue } from "./queue.ts";
import type { PluginRunner } from "./plugin-runner.ts";

export interface Dispatcher {
  /** Takes up what an earlier run of the daemon left, and begins. */
  start(): void;
  /** There are new events in the outbox. Cheap; before `start` and after `stop` it does nothing. */
  wake(): void;
  /** The plugin was enabled, installed, updated or removed: whatever its queue waits for may have passed. */
  pluginChanged(plugin: string): void;
  /**
   * Delivers an event again, under its own id, to the plugins that observe its hook now; a delivery that is still pending
   * begins again at its first attempt. Gates are not asked. Throws `event.not_found`.
   */
  replay(id: string): EventView;
  /** How many deliveries wait for the plugin. */
  pendingFor(plugin: string): number;
  /** Resolves when the plugin has heard of all that happened before, as far as it does not rest from a failure. */
  caughtUp(plugin: string): Promise<void>;
  /**
   * Begins no further delivery and waits `deadlineMs` for those in hand. One that takes longer is cut off and goes out again
   * at the next start, with no attempt counted.
   */
  stop(deadlineMs: number): Promise<void>;
}

export interface DispatcherOptions {
  readonly runner: PluginRunner;
  readonly events: EventRows;
  readonly deliveries: DeliveryRows;
  readonly transaction: <T>(work: () => T) => T;
  readonly feed: EventFeed;
  readonly clock: Clock;
  readonly log: Log;
}

export function makeDispatcher(options: DispatcherOptions): Dispatcher {
  const { runner, events, deliveries, transaction, feed, clock, log } = options;
  const { touch } = feed;
  const fanOut = makeFanOut(options);
  const journal = makeJournal({ deliveries, clock, touch });
  const cutOff = new AbortController();
  const shared = { runner, deliveries, journal, clock, log, touch, signal: cutOff.signal };
  const queues = makeQueues((plugin) => makeQueue({ ...shared, plugin }));
  let state: "new" | "idle" | "fanning out" | "stopped" = "new";
  let fanningOut = Promise.resolve();

  function wake(): void {
    if (state !== "idle") return;
    state = "fanning out";
    fanningOut = fanOutAll();
  }

  async function fanOutAll(): Promise<void> {
    try {
      // Other work comes in between: an outbox of 10,000 events must not make the daemon deaf.
      while (fanOutSome()) await nextTurn();
    } catch (error) {
      log.error("events wait in the outbox, because the state can't be used", { error: messageOf(error) });
      clock.after(STATE_RETRY_MS, wake);
    }
    if (state === "fanning out") state = "idle";
  }

  /** True where there may be more. */
  function fanOutSome(): boolean {
    if (state !== "fanning out") return false;
    const result = fanOut();
    for (const { seq } of result.events) touch(seq);
    for (const [plugin, fresh] of result.fresh) queues.of(plugin).offer(fresh);
    return result.more;
  }

  return {
    wake,
    start() {
      deliveries.abandonGates("the daemon ended before it answered", timestamp(clock.now()));
      state = "idle";
      for (const plugin of deliveries.pluginsWithPending()) queues.of(plugin).wake();
      wake();
    },
    pluginChanged: (plugin) => queues.find(plugin)?.retry(),
    replay(id) {
      journal.flush();
      const stored = events.find(id);
      if (stored === undefined) throw notFound(id);
      const plugins = observersOf(runner, stored.event.hook);
      transaction(() => {
        deliveries.renew(stored.seq, plugins, timestamp(clock.now()));
        events.markFannedOut(stored.seq);
      });
      touch(stored.seq);
      for (const plugin of plugins) queues.of(plugin).renewed(stored.seq);
      const view = feed.find(id);
      if (view === undefined) throw notFound(id);
      return view;
    },
    pendingFor: (plugin) => deliveries.countPending(plugin),
    async caughtUp(plugin) {
      // What was committed in this turn is offered to the queues in the next.
      await nextTurn();
      await fanningOut;
      await queues.find(plugin)?.idle();
    },
    async stop(deadlineMs) {
      state = "stopped";
      const ended = Promise.all(queues.all().map((queue) => queue.stop()));
      await before(deadlineMs, ended, clock);
      journal.flush();
      cutOff.abort(fail("daemon.stopping", "the daemon is stopping"));
    },
  };
}

// --- internal ---

const STATE_RETRY_MS = 5_000;

/** One for each plugin that was ever sent an event. */
function makeQueues(make: (plugin: string) => Queue) {
  const queues = new Map<string, Queue>();
  return {
    find: (plugin: string) => queues.get(plugin),
    all: () => [...queues.values()],
    of(plugin: string): Queue {
      const queue = queues.get(plugin) ?? make(plugin);
      queues.set(plugin, queue);
      return queue;
    },
  };
}

function notFound(id: string): Error {
  return fail("event.not_found", `no event has the id ${quote(id)}`, {
    hint: "voxeltron events lists those that are kept",
  });
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
