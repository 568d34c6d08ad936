/**
 * Two wires that say to each other what they hear, no faster than the other listens: a WebSocket, once both sides agreed on it.
 * Called by client/http1.ts.
 */
import { LIMITS } from "../../../base/limits.ts";
import type { Place, Work } from "../upstream/pool.ts";
import type { Wire, WireOwner } from "../wire/wire.ts";

export interface TunnelEnd {
  /** From the client, and to it. */
  readonly bytesIn: number;
  readonly bytesOut: number;
}

/** `ended` is told once, when both are closed. */
export function openTunnel(
  client: Wire,
  service: Wire,
  place: Place,
  now: () => number,
  ended: (end: TunnelEnd) => void,
): void {
  let bytesIn = 0;
  let bytesOut = 0;
  let spokeAtMs = now();
  let isServicesTurn = false;

  const work: Work = {
    /** Where the client waits for nothing it can as well connect again, to the new version. */
    giveWay(nowMs) {
      if (!isServicesTurn && nowMs - spokeAtMs >= LIMITS.drainQuietMs) service.end();
    },
    cutOff() {
      client.destroy();
      service.destroy();
    },
  };

  function side(from: Wire, to: Wire, count: (bytes: number) => void): WireOwner {
    let hasEnded = false;
    return {
      data(bytes) {
        count(bytes.length);
        spokeAtMs = now();
        isServicesTurn = from === client;
        if (!to.write(bytes)) from.pause();
      },
      drain: () => to.resume(),
      end() {
        hasEnded = true;
        to.end();
      },
      close() {
        // What was cut on the one side must not look whole on the other.
        if (!hasEnded) to.destroy();
        if (!place.end(work)) return;
        ended({ bytesIn, bytesOut });
      },
    };
  }

  place.begin(work);
  client.owner = side(client, service, (bytes) => void (bytesIn += bytes));
  service.owner = side(service, client, (bytes) => void (bytesOut += bytes));
}
