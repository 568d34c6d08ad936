/** Real local servers for tests of what goes out: each counts who came, and goes away with the test. */
import { createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import type { Certificate } from "./certificate.ts";

export interface LocalServer extends AsyncDisposable {
  readonly port: number;
  /** Everything that was received, connection after connection. */
  readonly received: string[];
  /** Connections that were made, and those that are closed again. */
  readonly opened: () => number;
  readonly closed: () => number;
}

/** Calls `answer` with the socket once a request's head has come. `host` is a loopback address, such as 127.0.0.2. */
export async function rawServer(
  host: string,
  answer: (socket: Socket, head: string) => void,
  options: { readonly tls?: Certificate; readonly port?: number } = {},
): Promise<LocalServer> {
  const received: string[] = [];
  const sockets = new Set<Socket>();
  let opened = 0;
  let closed = 0;

  function serve(socket: Socket): void {
    const index = opened++;
    received[index] = "";
    sockets.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => {
      closed++;
      sockets.delete(socket);
    });
    let answered = false;
    socket.on("data", (data: Buffer) => {
      received[index] += data.toString("latin1");
      const end = received[index]?.indexOf("\r\n\r\n") ?? -1;
      if (answered || end < 0) return;
      answered = true;
      answer(socket, received[index] ?? "");
    });
  }

  const server: Server =
    options.tls === undefined ? createServer(serve) : createTlsServer({ ...options.tls }, serve);
  server.on("tlsClientError", () => {});
  await new Promise<void>((resolve, reject) => {
    server.on("error", reject);
    server.listen(options.port ?? 0, host, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    received,
    opened: () => opened,
    closed: () => closed,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

/** A whole answer with its length, or with another one that is said. */
export function answerWith(
  socket: Socket,
  body: string | Uint8Array = "ok",
  options: { readonly status?: string; readonly headers?: readonly string[]; readonly length?: number } = {},
): void {
  const bytes = typeof body === "string" ? Buffer.from(body) : body;
  const head = [`HTTP/1.1 ${options.status ?? "200 OK"}`, ...(options.headers ?? [])];
  socket.write(`${head.join("\r\n")}\r\nContent-Length: ${options.length ?? bytes.length}\r\n\r\n`);
  socket.write(bytes);
}

/** Writes `piece` every millisecond until the peer goes away. */
export function drip(socket: Socket, piece: string | Uint8Array): void {
  const timer = setInterval(() => socket.write(piece), 1);
  socket.on("close", () => clearInterval(timer));
}
