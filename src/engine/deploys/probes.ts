/**
 * Knocks at an instance's port. The answer is nothing when it is well, else what was found, for the error message.
 * Speaks HTTP by hand: the runtime's own client follows the daemon's proxy variables. Called by health.ts.
 */
import type { Clock } from "../../base/clock.ts";
import { LIMITS } from "../../base/limits.ts";
import { formatAddress } from "../edge/address.ts";
import type { Upstream } from "../providers/provider.ts";

export interface Probes {
  /** Well: the port takes a connection and keeps it open. */
  tcp(upstream: Upstream): Promise<string | undefined>;
  /** Well: a status of 2xx or 3xx. */
  http(upstream: Upstream, path: string): Promise<string | undefined>;
}

export function makeProbes(clock: Clock): Probes {
  return {
    tcp: (upstream) =>
      knock(clock, upstream, {
        say: undefined,
        hear: () => WELL,
        silence: WELL,
        patienceMs: LIMITS.tcpSettleMs,
      }),
    http: (upstream, path) =>
      knock(clock, upstream, {
        say: `GET ${path} HTTP/1.1\r\nHost: ${formatAddress(upstream)}\r\nUser-Agent: voxeltron-health\r\nAccept: */*\r\nConnection: close\r\n\r\n`,
        hear: statusVerdict,
        silence: `no answer within ${LIMITS.healthAttemptMs / 1000} s`,
        patienceMs: LIMITS.healthAttemptMs,
      }),
  };
}

// --- internal ---

/** What an attempt found: `WELL`, or words. */
type Verdict = string;
const WELL = "";

interface Conversation {
  readonly say: string | undefined;
  /** A verdict on all that was heard so far, or nothing yet. */
  readonly hear: (heard: string) => Verdict | undefined;
  /** The verdict when the other side keeps the line open and says nothing for `patienceMs`. */
  readonly silence: Verdict;
  readonly patienceMs: number;
}

const HEARD_MOST = 1024;

async function knock(clock: Clock, upstream: Upstream, talk: Conversation): Promise<string | undefined> {
  const { promise, resolve } = Promise.withResolvers<Verdict>();
  let heard = "";
  const cancel = clock.after(talk.patienceMs, () => resolve(talk.silence));
  const connecting = Bun.connect({
    hostname: upstream.host,
    port: upstream.port,
    socket: {
      open(socket) {
        if (talk.say !== undefined) socket.write(talk.say);
      },
      data(_, chunk) {
        heard = (heard + chunk.toString("latin1")).slice(0, HEARD_MOST);
        const verdict = talk.hear(heard);
        if (verdict !== undefined) resolve(verdict);
      },
      close: () => resolve("the connection was closed without an answer"),
      error: (_, error) => resolve(`the connection failed: ${error.message}`),
    },
  });
  connecting.catch(() => resolve("nothing listens on the port"));
  const verdict = await promise;
  cancel();
  connecting.then(
    (socket) => socket.terminate(),
    () => {},
  );
  return verdict === WELL ? undefined : verdict;
}

function statusVerdict(heard: string): Verdict | undefined {
  const line = heard.indexOf("\r\n");
  if (line < 0 && heard.length < HEARD_MOST) return undefined;
  const status = /^HTTP\/1\.[01] (\d{3})(?: |$)/.exec(heard.slice(0, Math.max(line, 0)))?.[1];
  if (status === undefined) return "the answer is not HTTP";
  return status.startsWith("2") || status.startsWith("3") ? WELL : `the answer has status ${status}`;
}
