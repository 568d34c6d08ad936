/**
 * One plugin's deliveries, one at a time and in the order of events. What it knows is in the database too, so it may end at
 * any moment and begin again from there.
 * Made by dispatcher.ts, one for each plugin that was ever sent an event.
 */
import { timestamp, type Clock } from "../../base/clock.ts";
import { isVoxError, messageOf } from "../../base/errors.ts";
import type { Log } from "../../base/log.ts";
import type { DeliveryChange, DeliveryRows, PendingDelivery } from "../../state/deliveries.ts";
import type { PluginRunner } from "./plugin-runner.ts";
import type { Journal } from "./journal.ts";
import { makeRest, type Rest } from "./rest.ts";
import { errorText, verdictOn } from "./verdict.ts";

export interface Queue {
  /** Something new may be pending. Does not shorten a wait. */
  wake(): void;
  /** Everything that became pending just now, so that a queue which has nothing else needs not read it. */
  offer(fresh: readonly PendingDelivery[]): void;
  /** Whatever it waits for may have passed: the plugin was enabled, installed again or removed. */
  retry(): void;
  /** The delivery of this event was made pending again. */
  renewed(eventSeq: number): void;
  /** Resolves when nothing of it is in hand: all was delivered, or it rests. */
  idle(): Promise<void>;
  /** Runs nothing new; resolves when what it has in hand is done and written. */
  stop(): Promise<void>;
}

export interface QueueOptions {
  readonly plugin: string;
  readonly runner: Pick<PluginRunner, "run">;
  readonly deliveries: Pick<DeliveryRows, "pending" | "bury">;
  readonly journal: Journal;
  readonly clock: Clock;
  readonly log: Log;
  readonly touch: (eventSeq: number) => void;
  /** Cuts off what is in hand; after it, nothing is written. */
  readonly signal: AbortSignal;
}

export function makeQueue(options: QueueOptions): Queue {
  const { plugin, runner, deliveries, journal, clock, log, signal } = options;
  const rest = makeRest(clock);
  let batch: readonly PendingDelivery[] = [];
  let unwritten: DeliveryChange | undefined;
  let inHand: { readonly seq: number; renewed: boolean } | undefined;
  let cancelTimer: (() => void) | undefined;
  let state: "idle" | "working" | "stopped" = "idle";
  /** The database had nothing more the last time. */
  let drained = false;
  let ended = Promise.resolve();

  function wake(): void {
    if (state !== "idle" || cancelTimer !== undefined) return;
    state = "working";
    ended = work();
  }

  function look(): void {
    batch = [];
    cancelTimer?.();
    cancelTimer = undefined;
    wake();
  }

  /** Synchronous before its first delivery and after its last one, so that no wake falls in between. */
  async function work(): Promise<void> {
    let waitMs = 0;
    try {
      if (unwritten !== undefined) await record(unwritten);
      for (let next = head(); next !== undefined && waitMs <= 0; next = head()) {
        waitMs = rest.leftMs(next);
        if (waitMs <= 0) await deliver(next);
      }
    } catch (error) {
      log.error("the deliveries of a plugin wait, because the state can't be used", {
        plugin,
        error: messageOf(error),
      });
      batch = [];
      waitMs = STATE_RETRY_MS;
    }
    drained = waitMs <= 0;
    if (state === "working") state = "idle";
    if (state === "idle" && waitMs > 0) cancelTimer = clock.after(waitMs, look);
  }

  function head(): PendingDelivery | undefined {
    if (state !== "working") return undefined;
    if (batch.length === 0) batch = deliveries.pending(plugin, BATCH);
    return batch[0];
  }

  async function deliver({ seq, event, attempts }: PendingDelivery): Promise<void> {
    const hand = { seq, renewed: false };
    inHand = hand;
    const failure = await failureOf(async () => runner.run(plugin, event.hook, event, signal));
    inHand = undefined;
    if (signal.aborted || hand.renewed) return;
    const run = { eventSeq: seq, plugin, attempts: attempts + 1 };
    const change = failure === undefined ? { ...run, ...DONE } : settle(options, rest, run, failure.error);
    batch = failure === undefined ? batch.slice(1) : [];
    if (change !== undefined) await record(change);
  }

  async function record(change: DeliveryChange): Promise<void> {
    unwritten = change;
    await journal.write(change);
    unwritten = undefined;
  }

  return {
    wake,
    offer(fresh) {
      if (state === "idle" && drained) batch = fresh;
      wake();
    },
    retry() {
      rest.pause(0);
      look();
    },
    renewed(eventSeq) {
      if (inHand?.seq === eventSeq) inHand.renewed = true;
      if (unwritten?.eventSeq === eventSeq) unwritten = undefined;
      rest.forget(eventSeq);
      look();
    },
    idle: () => ended,
    stop() {
      state = "stopped";
      cancelTimer?.();
      return ended;
    },
  };
}

// --- internal ---

/** Rows read at once. */
const BATCH = 64;

const STATE_RETRY_MS = 5_000;

const DONE = { state: "done", nextAt: 0, error: null } as const;

type Run = Pick<DeliveryChange, "eventSeq" | "plugin" | "attempts">;

async function failureOf(work: () => Promise<unknown>): Promise<{ readonly error: unknown } | undefined> {
  try {
    await work();
    return undefined;
  } catch (error) {
    return { error };
  }
}

/** What a failure makes of the delivery; nothing where the plugin is gone and all its deliveries with it. */
function settle(
  { plugin, deliveries, clock, log, touch }: QueueOptions,
  rest: Rest,
  run: Run,
  error: unknown,
): DeliveryChange | undefined {
  const text = errorText(error);
  const verdict = verdictOn(error, run.attempts);
  const facts = { plugin, event: run.eventSeq, attempts: run.attempts, error: text };
  if (!isVoxError(error)) log.error("running a plugin failed", { ...facts, error: messageOf(error) });
  switch (verdict.kind) {
    case "retry":
      rest.delay(run.eventSeq, verdict.waitMs);
      return { ...run, state: "pending", nextAt: clock.now() + verdict.waitMs, error: text };
    case "park":
      rest.pause(verdict.waitMs);
      return { ...run, attempts: run.attempts - 1, state: "pending", nextAt: 0, error: text };
    case "dead":
      log.warn("an event could not be delivered", facts);
      return { ...run, state: "dead", nextAt: 0, error: text };
    case "bury":
      log.info("what was pending for a removed plugin is given up", facts);
      for (const seq of deliveries.bury(plugin, text, timestamp(clock.now()))) touch(seq);
      return undefined;
  }
}
