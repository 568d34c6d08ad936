/**
 * Takes one instance's output into its service's log, from the place where it was left to the end of the instance, and again when
 * it is started again. After each part it pauses for as long as that took, so that a flood leaves the daemon to others. Called by logs.ts.
 */
import type { Clock } from "../../base/clock.ts";
import { isVoxError, messageOf } from "../../base/errors.ts";
import { LIMITS } from "../../base/limits.ts";
import { waitAt } from "../../base/waits.ts";
import type { Log } from "../../base/log.ts";
import type { Provider } from "../providers/provider.ts";
import type { LogStore } from "./store.ts";

export interface Collector {
  /** Looks at once where it rests. */
  wake(): void;
  /** Resolves when all was taken that there was: the instance has ended, or was silent for a moment. Not later than `LIMITS.logSettleMs`. */
  settled(): Promise<void>;
  /** Resolves when nothing of it is under way any more. */
  stop(): Promise<void>;
}

export interface CollectorOptions {
  readonly provider: Provider;
  readonly instance: string;
  readonly version: number;
  readonly store: () => Promise<LogStore>;
  readonly clock: Clock;
  readonly log: Log;
}

export function startCollector(options: CollectorOptions): Collector {
  const { provider, instance, version, clock, log } = options;
  const stopping = new AbortController();
  const { signal } = stopping;
  let rest = Promise.withResolvers<void>();
  let isWanted = false;
  /** Between two looks at an instance that has ended. */
  let isResting = false;
  const hasEnded = (): boolean => isResting;
  let batches = 0;
  /** In a row. */
  let emptyLooks = 0;
  let reported = "";

  async function takeAll(): Promise<void> {
    const store = await options.store();
    let worked = clock.monotonic();
    const before = batches;
    const look = provider.logRestsMs === undefined ? undefined : { tail: undefined, follow: false };
    for await (const batch of provider.logs(instance, { from: store.position(version), look, signal })) {
      batches++;
      await store.append(version, batch);
      reported = "";
      const spent = clock.monotonic() - worked;
      await clock.sleep(Math.min(spent, LONGEST_PAUSE_MS), signal).catch(() => {});
      worked = clock.monotonic();
    }
    emptyLooks = batches === before ? emptyLooks + 1 : 0;
  }

  /** What hinders it is said once, not at every try. */
  function report(error: unknown): void {
    const text = messageOf(error);
    if (text !== reported) log.warn("the output of an instance can't be read", { instance, error: text });
    reported = text;
  }

  /** Whoever reads the log of a provider that gives none is told so there, once. */
  async function note(text: string): Promise<void> {
    const store = await options.store();
    if (store.position(version) !== undefined) return;
    const part = { stream: "stderr", atMs: clock.now(), text: `[voxeltron] ${text}` } as const;
    await store.append(version, { parts: [part], position: NOWHERE });
  }

  async function run(): Promise<void> {
    for (let failures = 0; !signal.aborted;) {
      try {
        await takeAll();
        failures = 0;
      } catch (error) {
        failures++;
        if (isVoxError(error) && error.code === "provider.unsupported") await note(error.message);
        if (!isVoxError(error) || error.code !== "instance.not_found") report(error);
      }
      await pause(failures);
    }
  }

  async function pause(failures: number): Promise<void> {
    if (isWanted || signal.aborted) return void (isWanted = false);
    rest = Promise.withResolvers();
    isResting = true;
    const cancel = clock.after(restMs(failures), rest.resolve);
    await rest.promise;
    cancel();
    isResting = false;
    isWanted = false;
  }

  function restMs(failures: number): number {
    const rests = failures === 0 ? provider.logRestsMs : undefined;
    return waitAt(rests ?? LIMITS.logRestMs, rests === undefined ? failures : emptyLooks);
  }

  signal.addEventListener("abort", () => rest.resolve(), { once: true });
  function wake(): void {
    isWanted = true;
    isResting = false;
    rest.resolve();
  }

  const running = run();
  return {
    wake,
    async settled() {
      if (isResting) wake();
      const end = clock.monotonic() + LIMITS.logSettleMs;
      let seen = batches;
      for (let quietSince = clock.monotonic(); !hasEnded() && clock.monotonic() < end;) {
        await clock.sleep(LOOK_MS);
        if (seen !== batches) [seen, quietSince] = [batches, clock.monotonic()];
        else if (clock.monotonic() - quietSince >= LIMITS.logQuietMs) return;
      }
    },
    async stop() {
      stopping.abort(new Error("nobody follows this instance any more"));
      await running;
    },
  };
}

// --- internal ---

/** A position that no provider knows: it begins at the first line. */
const NOWHERE = "none";

const LOOK_MS = 10;

/** However long something took: a disk, or a machine that is busy, is not the daemon's own time. */
const LONGEST_PAUSE_MS = 25;
