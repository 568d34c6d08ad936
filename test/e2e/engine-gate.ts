/**
 * A socket in front of the Docker engine that can hold one kind of request: before the engine gets it, or when the engine has done it and
 * before its answer is heard. So a daemon can be killed in between.
 */
import { rmSync } from "node:fs";
import type { Socket } from "bun";

export interface EngineGate extends AsyncDisposable {
  readonly socket: string;
  /** Resolves when a request that fits, such as `POST /containers/create`, is held. It is never let go of. */
  hold(request: RegExp, moment: "before" | "after"): Promise<void>;
  /** All that comes from now on passes. */
  open(): void;
}

export function openEngineGate(socket: string, engine = "/var/run/docker.sock"): EngineGate {
  let held: Held | undefined;
  const server = Bun.listen<Line>({
    unix: socket,
    socket: {
      open(client) {
        client.data = { engine: connect(engine, client), isMute: false };
      },
      async data(client, bytes) {
        // Asked before anything is awaited: the bytes that come next must not overtake.
        const held = fitting(bytes);
        if (held?.moment === "before") return held.reached();
        if (held !== undefined) client.data.onAnswer = held.reached;
        (await client.data.engine).write(bytes);
      },
      async close(client) {
        (await client.data.engine.catch(() => undefined))?.end();
      },
    },
  });

  function fitting(bytes: Buffer): Held | undefined {
    const [method, path = ""] = bytes.toString("latin1", 0, 300).split(" ", 2);
    return held?.request.test(`${method} ${path.replace(/^\/v[\d.]+/, "")}`) === true ? held : undefined;
  }

  return {
    socket,
    hold(request, moment) {
      const { promise, resolve } = Promise.withResolvers<void>();
      held = { request, moment, reached: resolve };
      return promise;
    },
    open: () => void (held = undefined),
    async [Symbol.asyncDispose]() {
      server.stop(true);
      rmSync(socket, { force: true });
    },
  };
}

// --- internal ---

interface Held {
  readonly request: RegExp;
  readonly moment: "before" | "after";
  readonly reached: () => void;
}

interface Line {
  readonly engine: Promise<Socket>;
  isMute: boolean;
  onAnswer?: () => void;
}

function connect(engine: string, client: Socket<Line>): Promise<Socket> {
  return Bun.connect({
    unix: engine,
    socket: {
      data(_engine, bytes) {
        const { onAnswer } = client.data;
        if (onAnswer !== undefined) {
          client.data.isMute = true;
          onAnswer();
        }
        if (!client.data.isMute) client.write(bytes);
      },
      close: () => void client.end(),
    },
  });
}
