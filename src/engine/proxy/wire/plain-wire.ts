/**
 * A plain TCP connection as a wire. It opens them to services and is handed those of clients; the bytes do not pass a stream of
 * the runtime on their way. Called by the listener and by upstream/pool.ts.
 */
import type { Socket, SocketHandler } from "bun";
import type { Upstream } from "../../providers/provider.ts";
import { NOBODY, plainAddress, type Wire, type WireOwner } from "./wire.ts";

export class PlainWire implements Wire {
  owner: WireOwner = NOBODY;
  closed = false;
  readonly #socket: Socket<PlainWire>;
  #pending: Buffer[] = [];
  #isEnding = false;
  #isPaused = false;

  constructor(socket: Socket<PlainWire>) {
    this.#socket = socket;
    socket.data = this;
  }

  get remote(): string {
    return plainAddress(this.#socket.remoteAddress);
  }

  write(bytes: Uint8Array): boolean {
    if (this.closed || this.#isEnding || bytes.length === 0) return true;
    const taken = this.#pending.length > 0 ? 0 : Math.max(this.#socket.write(bytes), 0);
    if (taken === bytes.length) return true;
    this.#pending.push(Buffer.from(bytes.subarray(taken)));
    return false;
  }

  pause(): void {
    if (this.#isPaused || this.closed) return;
    this.#isPaused = true;
    this.#socket.pause();
  }

  resume(): void {
    if (!this.#isPaused || this.closed) return;
    this.#isPaused = false;
    this.#socket.resume();
  }

  end(): void {
    if (this.#isEnding || this.closed) return;
    this.#isEnding = true;
    if (this.#pending.length === 0) this.#socket.shutdown();
  }

  destroy(): void {
    if (!this.closed) this.#socket.terminate();
  }

  /** The socket can take more. */
  flush(): void {
    for (let next = this.#pending[0]; next !== undefined; next = this.#pending[0]) {
      const taken = Math.max(this.#socket.write(next), 0);
      if (taken < next.length) {
        this.#pending[0] = next.subarray(taken);
        return;
      }
      this.#pending.shift();
    }
    if (this.#isEnding) this.#socket.shutdown();
    this.owner.drain();
  }

  /** The socket is gone. */
  left(): void {
    if (this.closed) return;
    this.closed = true;
    this.#pending = [];
    this.owner.close();
  }
}

/** For listeners and connections; whoever opens the socket makes its wire in `open`. Both with `allowHalfOpen`. */
export const plainHandler: Required<
  Pick<SocketHandler<PlainWire>, "data" | "drain" | "end" | "close" | "error">
> = {
  data: (socket, bytes) => socket.data.owner.data(bytes),
  drain: (socket) => socket.data.flush(),
  end: (socket) => socket.data.owner.end(),
  close: (socket) => socket.data.left(),
  error: (socket) => socket.terminate(),
};

/** Connects; rejects where nobody answers. */
export async function connectPlain({ host, port }: Upstream): Promise<PlainWire> {
  const { promise, resolve } = Promise.withResolvers<PlainWire>();
  await Bun.connect<PlainWire>({
    hostname: host,
    port,
    allowHalfOpen: true,
    socket: { ...plainHandler, open: (socket) => resolve(new PlainWire(socket)) },
  });
  return promise;
}
