/**
 * Joins two sockets: what one says, the other hears, no faster than it can listen. Bytes that a socket did not take wait here,
 * and its partner is paused meanwhile, so a slow reader costs a buffer and not the daemon's memory. An end is passed on as
 * an end, a reset as a reset: a cut answer never looks whole. Knows nothing of services; called by edge.ts and connections.ts.
 */
import type { Socket, SocketHandler } from "bun";

export interface Pair {
  readonly client: Side;
  readonly upstream: Side;
  /** How often either side said something, and which did last. */
  chunks: number;
  speaker: Side | undefined;
  /** Told once, when both sides are closed. */
  readonly ended: () => void;
}

/** One side of a pair; `data` of its socket. */
export interface Side {
  pair: Pair | undefined;
  socket: Socket<Side> | undefined;
  /** What this socket still has to take, in order. */
  readonly pending: Uint8Array[];
  /** It is told nothing more: its end is sent once it took what is pending. */
  finishing: boolean;
  closed: boolean;
}

export function makePair(ended: () => void): Pair {
  const client = makeSide();
  const upstream = makeSide();
  const pair = { client, upstream, chunks: 0, speaker: undefined, ended };
  client.pair = pair;
  upstream.pair = pair;
  return pair;
}

/** For both sides. Whoever opens the sockets sets `side.socket` first and opens them with `allowHalfOpen`. */
export const spliceHandler: Required<
  Pick<SocketHandler<Side>, "data" | "drain" | "end" | "close" | "error">
> = {
  data(socket, chunk) {
    const side = socket.data;
    const peer = peerOf(side);
    if (side.pair === undefined || peer === undefined || peer.closed || peer.finishing) return;
    side.pair.chunks++;
    side.pair.speaker = side;
    const taken = peer.socket === undefined || peer.pending.length > 0 ? 0 : peer.socket.write(chunk);
    if (taken >= chunk.length) return;
    peer.pending.push(Uint8Array.from(chunk.subarray(Math.max(taken, 0))));
    socket.pause();
  },
  drain: (socket) => flush(socket.data),
  end(socket) {
    finish(peerOf(socket.data));
  },
  close(socket, error) {
    leave(socket.data);
    const peer = peerOf(socket.data);
    if (error === undefined) finish(peer);
    else abort(peer);
  },
  error(socket) {
    abort(socket.data);
  },
};

/** Writes what waits; then lets the partner speak again, or passes its end on. */
export function flush(side: Side): void {
  const { socket, pending } = side;
  if (socket === undefined || side.closed) return;
  for (let chunk = pending[0]; chunk !== undefined; chunk = pending[0]) {
    const taken = socket.write(chunk);
    if (taken < chunk.length) {
      pending[0] = chunk.subarray(Math.max(taken, 0));
      return;
    }
    pending.shift();
  }
  if (side.finishing) socket.shutdown();
  const peer = peerOf(side);
  if (peer?.closed === false) peer.socket?.resume();
}

/** Sends this side its end, after what it still has to take; what it says goes on to be heard. */
export function finish(side: Side | undefined): void {
  if (side === undefined || side.finishing) return;
  side.finishing = true;
  flush(side);
}

/** Ends both sockets at once, with a reset. */
export function abortPair(pair: Pair): void {
  abort(pair.client);
  abort(pair.upstream);
}

// --- internal ---

function makeSide(): Side {
  return { pair: undefined, socket: undefined, pending: [], finishing: false, closed: false };
}

function peerOf(side: Side): Side | undefined {
  return side.pair?.client === side ? side.pair.upstream : side.pair?.client;
}

function abort(side: Side | undefined): void {
  if (side === undefined || side.closed) return;
  if (side.socket === undefined) leave(side);
  else side.socket.terminate();
}

function leave(side: Side): void {
  if (side.closed) return;
  side.closed = true;
  side.pending.length = 0;
  if (peerOf(side)?.closed === true) side.pair?.ended();
}
