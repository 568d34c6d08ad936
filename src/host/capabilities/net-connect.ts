/**
 * `net.connect`: a TCP or TLS connection, as a stream that can be written to. It goes where fetch may go, and ends with its room, with
 * the right to it, or when it is idle. Called by net.ts.
 */
import * as v from "valibot";
import { fail } from "../../base/errors.ts";
import { LIMITS } from "../../base/limits.ts";
import { formatBytes } from "../../base/text.ts";
import { parsePlace } from "../../platform/http/target.ts";
import type { DialTarget, TcpConnection } from "../../platform/tcp/dial.ts";
import { makeAllowance, type Lease } from "./allowance.ts";
import { bytesSchema } from "./bytes.ts";
import { method, type Caller, type Method } from "./method.ts";
import type { NetOptions } from "./net-options.ts";
import { checkConnectReach, publicOnly } from "./reach.ts";
import type { StreamSource } from "./streams.ts";
import { makeTransfer, type Transfer } from "./transfer.ts";

/**
 * `net.connect {host, port, tls?}` → `{stream: handle}`; what comes is read with `stream.next`, in items `{$b64}`, and
 * `stream.write {stream, data: {$b64}}` sends. With `tls` the certificate must be of an authority of the system and name the host.
 *
 * Rejects with `capability.out_of_scope` (host or address that is not open to it), `capability.invalid_params`, `capability.limit`,
 * `network.failed`, `network.timeout`.
 */
export function connectMethod(options: NetOptions): Method {
  const places = makePlaces(LIMITS.connectionsPerPlugin);
  return method({
    name: "net.connect",
    args: "object",
    surface: "connection",
    anyOf: ["network_outbound"],
    params: connectParams,
    target: ({ host, port, tls }) =>
      `${tls ? "TLS" : "TCP"} ${readPlace(host, port) ?? "an unreadable host"}`,
    scope: ({ host, port }) => readPlace(host, port),
    check: (caller, { host, port }) => checkConnectReach(caller, parsePlace(host, port)),
    async run(caller, { host, port, tls }, signal, streams) {
      const to = { ...parsePlace(host, port), tls };
      const leave = places.enter(caller.plugin);
      const transfer = makeTransfer(options.clock, {
        idleMs: LIMITS.transferIdleMs,
        totalMs: LIMITS.connectionMs,
        what: `the connection to ${to.authority}`,
        ended: leave,
      });
      const unfollow = transfer.follow(signal);
      try {
        const connection = await dialled(options, caller, to, transfer);
        transfer.signal.throwIfAborted();
        const stream = await streams.start((end) => {
          unfollow();
          transfer.follow(end);
          return sourceOver(connection, transfer, () => {
            checkConnectReach(caller, to);
            // The operator may have taken it out of his list.
            publicOnly(caller, options.addressPolicy(), to, [connection.address]);
          });
        });
        return { stream };
      } catch (error) {
        const reason: unknown = transfer.signal.aborted ? transfer.signal.reason : error;
        transfer.end();
        throw reason;
      }
    },
  });
}

// --- internal ---

const connectParams = v.strictObject({
  host: v.pipe(v.string(), v.maxLength(260)),
  port: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(65_535)),
  tls: v.optional(v.boolean(), false),
});

async function dialled(
  options: NetOptions,
  caller: Caller,
  to: DialTarget,
  transfer: Transfer,
): Promise<TcpConnection> {
  const cancel = options.clock.after(LIMITS.connectMs, () =>
    transfer.end(
      fail("network.timeout", `no connection to ${to.authority} within ${LIMITS.connectMs / 1000} s`),
    ),
  );
  const choose = (place: DialTarget, addresses: readonly string[]): readonly string[] =>
    publicOnly(caller, options.addressPolicy(), place, addresses);
  try {
    return await options.dial(to, choose, transfer.signal);
  } finally {
    cancel();
  }
}

function sourceOver(connection: TcpConnection, transfer: Transfer, check: () => void): StreamSource {
  const countIn = counter("has sent");
  const countOut = counter("was sent");
  // What was begun fills the daemon's memory until the other side takes it, also where nobody waits for that any more.
  const turns = makeAllowance({ places: 1, bytes: 0 });

  async function send(bytes: Uint8Array, turn: Lease): Promise<void> {
    try {
      check();
      countOut(bytes.byteLength);
      transfer.moved();
      await connection.write(bytes);
    } finally {
      turn.leave();
    }
  }

  return {
    check,
    ...transfer.items(counted(connection.incoming, countIn), check),
    async write(data, signal) {
      const parsed = v.safeParse(bytesSchema, data);
      if (!parsed.success)
        throw fail("capability.invalid_params", 'a connection takes bytes, {"$b64": "…"} in standard base64');
      const end = AbortSignal.any([signal, transfer.signal]);
      const turn = await turns.enter(end);
      await endingWith(end, send(parsed.output, turn));
      transfer.moved();
    },
  };
}

async function* counted(
  pieces: AsyncIterable<Uint8Array>,
  count: (bytes: number) => void,
): AsyncGenerator<Uint8Array> {
  for await (const piece of pieces) {
    count(piece.byteLength);
    yield piece;
  }
}

function counter(words: string): (bytes: number) => void {
  let total = 0;
  return (bytes) => {
    total += bytes;
    if (total > LIMITS.connectionBytes)
      throw fail(
        "capability.limit",
        `the other side ${words} more than ${formatBytes(LIMITS.connectionBytes)} over one connection`,
      );
  };
}

/** Rejects with the signal's reason as soon as it aborts. */
async function endingWith(signal: AbortSignal, work: Promise<void>): Promise<void> {
  const { promise, reject } = Promise.withResolvers<never>();
  const stop = (): void => reject(signal.reason as Error);
  if (signal.aborted) stop();
  signal.addEventListener("abort", stop, { once: true });
  // Ends with the connection, and then nobody may be waiting.
  work.catch(() => {});
  try {
    await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

interface Places {
  /** Throws `capability.limit`. The result gives the place back. */
  enter(plugin: string): () => void;
}

/** Refuses instead of making wait: who waits for a place may hold it. */
function makePlaces(most: number): Places {
  const taken = new Map<string, number>();
  return {
    enter(plugin) {
      const before = taken.get(plugin) ?? 0;
      if (before >= most)
        throw fail("capability.limit", `a plugin may have ${most} connections open; close one first`);
      taken.set(plugin, before + 1);
      return () => void taken.set(plugin, (taken.get(plugin) ?? 1) - 1);
    },
  };
}

function readPlace(host: string, port: number): string | undefined {
  try {
    return parsePlace(host, port).authority;
  } catch {
    return undefined;
  }
}
