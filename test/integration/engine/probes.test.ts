import { expect, test } from "bun:test";
import { systemClock } from "../../../src/base/clock.ts";
import { makeProbes } from "../../../src/engine/deploys/probes.ts";
import { onLoopback } from "../../../src/engine/providers/provider.ts";

const probes = makeProbes(systemClock);

/** A raw server for as long as the test needs it. */
function server(open: (socket: Bun.Socket) => void): { readonly port: number; [Symbol.dispose](): void } {
  const listener = Bun.listen({
    hostname: "127.0.0.1",
    port: 0,
    socket: { open, data() {}, error() {} },
  });
  return { port: listener.port, [Symbol.dispose]: () => listener.stop(true) };
}

test("a port proxy that accepts and closes at once is not taken for the service", async () => {
  using proxy = server((socket) => void socket.end());
  expect(await probes.tcp(onLoopback(proxy.port))).toContain("closed");
  expect(await probes.http(onLoopback(proxy.port), "/")).toContain("closed");
});

test("a connection that stays open, or greets, is well", async () => {
  using silent = server(() => {});
  expect(await probes.tcp(onLoopback(silent.port))).toBeUndefined();
  using polite = server((socket) => void socket.write("220 hello\r\n"));
  expect(await probes.tcp(onLoopback(polite.port))).toBeUndefined();
  expect(await probes.http(onLoopback(polite.port), "/")).toBe("the answer is not HTTP");
});

test("nothing there is said so", async () => {
  const { port, [Symbol.dispose]: close } = server(() => {});
  close();
  expect(await probes.tcp(onLoopback(port))).toBe("nothing listens on the port");
});

test("a path is well with 2xx and 3xx only", async () => {
  for (const [status, verdict] of [
    [200, undefined],
    [204, undefined],
    [302, undefined],
    [404, "the answer has status 404"],
    [500, "the answer has status 500"],
  ] as const) {
    const paths: string[] = [];
    const http = Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      fetch(request) {
        paths.push(new URL(request.url).pathname);
        return new Response(null, { status, headers: { location: "http://elsewhere.example/" } });
      },
    });
    expect(await probes.http(onLoopback(http.port as number), "/up")).toBe(verdict as string);
    expect(paths).toEqual(["/up"]);
    await http.stop(true);
  }
});
