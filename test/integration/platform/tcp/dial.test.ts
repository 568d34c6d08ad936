/** Plain and TLS connections against real servers: whom they reach, whose certificate counts, and how much is on its way at most. */
import { describe, expect, test } from "bun:test";
import { createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { createServer as createTlsServer, type TLSSocket } from "node:tls";
import { makeDial, type DialPowers, type DialTarget } from "../../../../src/platform/tcp/dial.ts";
import { makeCertificate, type Certificate } from "../../../certificate.ts";
import { rejection } from "../../../fixtures/rejection.ts";
import { until } from "../../../harness.ts";

const HERE = "127.0.0.4";
const MIB = 1024 * 1024;

async function serve(talk: (socket: Socket) => void, tls?: Certificate, host = HERE) {
  const sockets = new Set<Socket>();
  const opened: Socket[] = [];
  const onConnection = (socket: Socket): void => {
    sockets.add(socket);
    opened.push(socket);
    socket.on("error", () => {});
    socket.on("close", () => sockets.delete(socket));
    talk(socket);
  };
  const server: Server =
    tls === undefined ? createServer(onConnection) : createTlsServer({ ...tls }, onConnection);
  server.on("tlsClientError", () => {});
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  return {
    port: (server.address() as AddressInfo).port,
    opened,
    open: () => sockets.size,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

function dial(
  to: Partial<DialTarget> & { readonly port: number },
  powers: Partial<DialPowers> = {},
  signal = never,
) {
  const host = to.host ?? "a.test";
  const target = {
    host,
    tls: false,
    isAddress: /^[\d.]+$|:/.test(host),
    authority: `${host}:${to.port}`,
    ...to,
  };
  return makeDial({ resolve: async () => [HERE], ...powers })(
    target,
    (_place, addresses) => addresses,
    signal,
  );
}

const never = new AbortController().signal;

async function firstText(connection: { readonly incoming: AsyncIterable<Uint8Array> }): Promise<string> {
  for await (const piece of connection.incoming) return Buffer.from(piece).toString();
  return "";
}

describe("a connection", () => {
  test("brings bytes both ways, and ends when the other side ends", async () => {
    await using server = await serve((socket) => {
      socket.write("welcome");
      socket.once("data", (data: Buffer) => socket.end(`you said ${data.toString()}`));
    });
    const connection = await dial({ port: server.port });
    await connection.write(Buffer.from("hi"));
    const all = Buffer.concat(await Array.fromAsync(connection.incoming)).toString();
    expect(all).toBe("welcomeyou said hi");
    expect(await rejection(connection.write(Buffer.from("more")))).toMatchObject({ code: "network.failed" });
    await until(() => server.open() === 0);
  });

  test("tries the next address where nobody listens, IPv4 first", async () => {
    await using server = await serve((socket) => socket.write("here"));
    const resolve = async () => ["::1", "127.0.0.5", HERE];
    expect(await firstText(await dial({ port: server.port }, { resolve }))).toBe("here");
  });

  test("reaches IPv6", async () => {
    await using server = await serve((socket) => socket.write("six"), undefined, "::1");
    expect(await firstText(await dial({ host: "::1", port: server.port }))).toBe("six");
  });

  test("that is refused, or whose name is unknown, says so", async () => {
    const server = await serve(() => {});
    await server[Symbol.asyncDispose]();
    expect(await rejection(dial({ port: server.port }))).toMatchObject({
      code: "network.failed",
      message: `a.test:${server.port}: connection refused`,
    });
    const resolve = () => Promise.reject(new Error("ENOTFOUND s3cret"));
    expect(await rejection(dial({ port: 1 }, { resolve }))).toMatchObject({
      code: "network.failed",
      message: "the name a.test can't be resolved",
    });
  });

  test("that breaks says so to who reads and who writes", async () => {
    await using server = await serve((socket) => socket.resetAndDestroy());
    const connection = await dial({ port: server.port });
    expect(await rejection(Array.fromAsync(connection.incoming))).toMatchObject({
      code: "network.failed",
      message: expect.stringMatching(
        /^a\.test:\d+: the (?:other side broke the connection off|connection broke)$/,
      ),
    });
    expect(await rejection(connection.write(new Uint8Array(1)))).toMatchObject({ code: "network.failed" });
  });

  test.each([[false], [true]])("is read no faster than it is taken, TLS: %p", async (tls) => {
    const certificate = makeCertificate("a.test");
    let sent = 0;
    await using server = await serve(
      (socket) => {
        const more = (): void => {
          while (sent < 200 * MIB) {
            sent += 65_536;
            if (!socket.write(Buffer.alloc(65_536))) return void socket.once("drain", more);
          }
        };
        more();
      },
      tls ? certificate : undefined,
    );
    const connection = await dial({ port: server.port, tls }, { ca: certificate.cert });
    await until(() => sent > 0);
    const before = await settled(() => sent);
    expect(before).toBeLessThan(32 * MIB);
    let taken = 0;
    for await (const piece of connection.incoming) if ((taken += piece.length) >= 50 * MIB) break;
    await until(() => server.open() === 0);
  });

  test.each([[false], [true]])("takes no more than the other side reads, TLS: %p", async (tls) => {
    const certificate = makeCertificate("a.test");
    await using server = await serve((socket) => socket.pause(), tls ? certificate : undefined);
    const stop = new AbortController();
    const connection = await dial({ port: server.port, tls }, { ca: certificate.cert }, stop.signal);
    let written = 0;
    const writing = (async () => {
      for (; written < 200; written++) await connection.write(new Uint8Array(MIB));
    })();
    await until(() => written > 0);
    expect(await settled(() => written)).toBeLessThan(64);
    stop.abort();
    expect(await rejection(writing)).toMatchObject({ code: "network.failed" });
    await until(() => server.opened.length === 1);
  });

  test("ends with its signal, while it is made and after", async () => {
    await using server = await serve(() => {});
    const stop = new AbortController();
    await dial({ port: server.port }, {}, stop.signal);
    await until(() => server.open() === 1);
    stop.abort();
    await until(() => server.open() === 0);
    const early = new AbortController();
    const dialling = dial({ port: server.port }, { resolve: () => new Promise(() => {}) }, early.signal);
    early.abort(new Error("enough"));
    expect(await rejection(dialling)).toMatchObject({ message: "enough" });
    expect(server.opened).toHaveLength(1);
  });
});

describe("a connection by TLS", () => {
  const both = makeCertificate("a.test", HERE);
  const trusting = { ca: both.cert };

  test("shows the name, and checks the certificate against it", async () => {
    await using server = await serve((socket) => socket.write("hi"), both);
    const port = server.port;
    expect(await firstText(await dial({ port, tls: true }, trusting))).toBe("hi");
    expect((server.opened[0] as TLSSocket).servername as unknown).toBe("a.test");
    expect(await rejection(dial({ host: "b.test", port, tls: true }, trusting))).toMatchObject({
      code: "network.failed",
      message: `b.test:${port}: the certificate is for another name`,
    });
    expect(await firstText(await dial({ host: HERE, port, tls: true }, trusting))).toBe("hi");
    expect((server.opened.at(-1) as TLSSocket).servername as unknown).not.toBe(HERE);
  });

  test("an address that is not in the certificate is refused", async () => {
    await using server = await serve((socket) => socket.write("hi"), makeCertificate("a.test"));
    expect(await rejection(dial({ host: HERE, port: server.port, tls: true }, trusting))).toMatchObject({
      code: "network.failed",
    });
  });

  test.each(["1", "0"])(
    "a certificate of no authority is refused, NODE_TLS_REJECT_UNAUTHORIZED=%s",
    async (value) => {
      await using server = await serve((socket) => socket.write("hi"), both);
      process.env["NODE_TLS_REJECT_UNAUTHORIZED"] = value;
      try {
        expect(await rejection(dial({ port: server.port, tls: true }))).toMatchObject({
          code: "network.failed",
          message: expect.stringContaining("certificate"),
        });
      } finally {
        delete process.env["NODE_TLS_REJECT_UNAUTHORIZED"];
      }
    },
  );

  test("a server that speaks something else is an error, and so is one that says nothing", async () => {
    await using plain = await serve((socket) => socket.write("220 ready\r\n"));
    expect(await rejection(dial({ port: plain.port, tls: true }, trusting))).toMatchObject({
      code: "network.failed",
      message: `a.test:${plain.port}: no TLS connection came about`,
    });
    await using silent = await serve((socket) => socket.resume());
    const stop = new AbortController();
    const dialling = dial({ port: silent.port, tls: true }, trusting, stop.signal);
    await until(() => silent.open() === 1);
    stop.abort(new Error("enough"));
    expect(await rejection(dialling)).toMatchObject({ message: "enough" });
    await until(() => silent.open() === 0);
  });
});

/** The value once it has not changed for a while. */
async function settled(value: () => number): Promise<number> {
  let [last, same] = [value(), 0];
  await until(async () => {
    await Bun.sleep(20);
    const now = value();
    same = now === last ? same + 1 : 0;
    last = now;
    return same >= 5;
  });
  return last;
}
