/**
 * Asks the plugins that may refuse an operation, in the order of their names. Fails closed: a gate that times out, crashes or
 * was tampered with refuses; only one that the operator disabled or removed is passed over. Each is asked once, ever: that it
 * was asked is in the database before it runs, so nothing delivers the event to it later. A plugin that is behind with what it
 * observes is waited for, within bounds: after `post_create` comes `pre_start`, to each.
 * Made in daemon/compose-host.ts as the engine's `Gates`.
 */
import { timestamp, type Clock } from "../../base/clock.ts";
import { fail, isVoxError, messageOf, toWire, type VoxError } from "../../base/errors.ts";
import { LIMITS } from "../../base/limits.ts";
import type { Log } from "../../base/log.ts";
import type { HookName, VoxeltronEvent } from "../../sdk/index.ts";
import type { DeliveryRows, DeliveryState } from "../../state/deliveries.ts";
import { before } from "./before.ts";
import type { EventFeed } from "./feed.ts";
import { errorText, messageText } from "./verdict.ts";
import type { PluginRunner } from "./plugin-runner.ts";

/** Throws `gate.refused` with the first refusal, or the signal's reason. */
export type AskGates = (event: VoxeltronEvent, signal: AbortSignal) => Promise<void>;

export interface GatesOptions {
  readonly runner: PluginRunner;
  readonly deliveries: Pick<DeliveryRows, "openGate" | "dropGate" | "update">;
  readonly feed: Pick<EventFeed, "touch">;
  /** Resolves when the plugin has heard of what happened before, in the order in which it did. */
  readonly caughtUp: (plugin: string) => Promise<void>;
  readonly clock: Clock;
  readonly log: Log;
}

export function makeGates({ runner, deliveries, feed, caughtUp, clock, log }: GatesOptions): AskGates {
  async function ask(plugin: string, event: VoxeltronEvent, signal: AbortSignal): Promise<void> {
    const seq = deliveries.openGate(event.id, plugin, timestamp(clock.now()));
    feed.touch(seq);
    function answer(state: DeliveryState, error: string | null): void {
      const change = { eventSeq: seq, plugin, state, attempts: 1, nextAt: 0, error };
      deliveries.update([change], timestamp(clock.now()));
      feed.touch(seq);
    }
    try {
      await runner.run(plugin, event.hook, event, signal);
    } catch (error) {
      if (isVoxError(error) && PASSED_OVER.has(error.code)) {
        deliveries.dropGate(seq, plugin);
        feed.touch(seq);
        return;
      }
      if (signal.aborted) {
        answer("dead", "the operation was cancelled before it answered");
        throw signal.reason;
      }
      if (!isVoxError(error)) log.error("running a gate failed", { plugin, error: messageOf(error) });
      answer("refused", errorText(error));
      throw refusal(plugin, event.hook, error);
    }
    answer("done", null);
  }

  return async (event, signal) => {
    const gates = runner.subscribers(event.hook).filter((subscriber) => subscriber.gate);
    for (const { plugin } of gates) {
      await before(LIMITS.gateBehindMs, caughtUp(plugin), clock, signal);
      signal.throwIfAborted();
      await ask(plugin, event, signal);
    }
  };
}

// --- internal ---

const PASSED_OVER: ReadonlySet<string> = new Set(["plugin.disabled", "plugin.not_found"]);

function refusal(plugin: string, hook: HookName, error: unknown): VoxError {
  const { code, message, hint } = toWire(error);
  const said = messageText(message);
  // Only a plugin that ran and threw has refused in its own words.
  const text =
    code === "plugin.failed" ? `${plugin} refused ${hook}` : `${plugin} could not be asked about ${hook}`;
  return fail("gate.refused", `${text}: ${said}`, {
    details: { plugin, hook, reason: code },
    hint: `${hint === undefined ? "" : `${hint}; or, `}to go on without it: voxeltron plugin disable ${plugin}`,
    cause: error,
  });
}
