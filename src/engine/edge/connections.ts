/**
 * The connections that lead through edges, by where they lead to, so that the old version of a service can be let
 * finish what it began. Called by edge.ts and edges.ts.
 */
import type { Clock } from "../../base/clock.ts";
import { LIMITS } from "../../base/limits.ts";
import type { Upstream } from "../providers/provider.ts";
import { formatAddress } from "./address.ts";
import { abortPair, finish, makePair, type Pair } from "./splice.ts";

export interface Connections {
  /** A new pair that leads to `upstream`; it leaves by itself when both its sockets are closed. */
  open(upstream: Upstream): Pair;
  /**
   * Resolves when none leads to `upstream`. Idle ones are ended: those on which the service, or nobody, spoke last and where
   * nothing was said for a while. Those left after `timeoutMs`, or at the signal, are cut.
   */
  drain(upstream: Upstream, timeoutMs: number, signal: AbortSignal): Promise<void>;
}

export function makeConnections(clock: Clock): Connections {
  const live = new Map<string, Set<Pair>>();

  function leave(place: string, pair: Pair): void {
    const pairs = live.get(place);
    pairs?.delete(pair);
    if (pairs?.size === 0) live.delete(place);
  }

  return {
    open(upstream) {
      const place = formatAddress(upstream);
      const pair = makePair(() => leave(place, pair));
      const pairs = live.get(place) ?? new Set();
      live.set(place, pairs.add(pair));
      return pair;
    },
    async drain(upstream, timeoutMs, signal) {
      const place = formatAddress(upstream);
      const end = clock.monotonic() + timeoutMs;
      const watch = makeIdleWatch(clock);
      while (live.has(place) && clock.monotonic() < end && !signal.aborted) {
        for (const pair of live.get(place) ?? []) if (watch(pair)) finish(pair.upstream);
        await clock.sleep(POLL_MS, signal).catch(() => {});
      }
      for (const pair of live.get(place) ?? []) abortPair(pair);
    },
  };
}

// --- internal ---

const POLL_MS = 50;

/** Says of a pair, asked again and again, when it has been idle for long enough. */
function makeIdleWatch(clock: Clock): (pair: Pair) => boolean {
  const seen = new Map<Pair, { readonly chunks: number; readonly atMs: number }>();
  return (pair) => {
    const now = clock.monotonic();
    const last = seen.get(pair);
    if (last?.chunks !== pair.chunks) seen.set(pair, { chunks: pair.chunks, atMs: now });
    else return pair.speaker !== pair.client && now - last.atMs >= LIMITS.drainQuietMs;
    return false;
  };
}
