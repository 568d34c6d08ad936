/** The listener over real sockets. */
import { afterEach, expect, test } from "bun:test";
import { silentLog } from "../../../../src/base/log.ts";
import type { Address } from "../../../../src/engine/edge/address.ts";
import { makeExporter, type Exporter } from "../../../../src/engine/metrics/exporter.ts";

const open: Exporter[] = [];

afterEach(() => {
  for (const exporter of open.splice(0)) exporter.close();
});

function makeDesk() {
  const said: string[] = [];
  const desk = { said, address: undefined as Address | undefined };
  const exporter = makeExporter({
    address: () => desk.address,
    families: async () => [
      { name: "up", type: "gauge", help: "It is.", samples: [{ labels: {}, value: 1 }] },
    ],
    log: { ...silentLog, error: (text) => void said.push(text) },
  });
  open.push(exporter);
  return Object.assign(desk, { exporter });
}

function freeAddress(): Address {
  const listener = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  listener.stop(true);
  return { host: "127.0.0.1", port: listener.port };
}

const urlOf = ({ host, port }: Address, path = "/metrics") => `http://${host}:${port}${path}`;
const answers = (address: Address) =>
  fetch(urlOf(address)).then(
    () => true,
    () => false,
  );

test("GET /metrics is answered in the text format, and nothing else is", async () => {
  const desk = makeDesk();
  desk.address = freeAddress();
  desk.exporter.open();
  const answer = await fetch(urlOf(desk.address));
  expect(answer.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
  expect(await answer.text()).toBe("# HELP up It is.\n# TYPE up gauge\nup 1\n");
  expect((await fetch(urlOf(desk.address, "/v1/daemon.info"), { method: "POST" })).status).toBe(404);
  expect((await fetch(urlOf(desk.address), { method: "POST", body: "x" })).status).toBe(405);
  expect((await fetch(urlOf(desk.address), { method: "HEAD" })).status).toBe(200);
});

test("nothing listens where nothing is configured", () => {
  const desk = makeDesk();
  desk.exporter.open();
  desk.exporter.follow();
  expect(desk.said).toEqual([]);
});

test("an address that is taken is an error at the start", async () => {
  const desk = makeDesk();
  const other = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  try {
    desk.address = { host: "127.0.0.1", port: other.port };
    expect(() => desk.exporter.open()).toThrow(
      `the metrics can't be offered at 127.0.0.1:${other.port}: another program listens there`,
    );
  } finally {
    other.stop(true);
  }
});

test("a reload moves the listener, and leaves it where it is when it can't be moved", async () => {
  const desk = makeDesk();
  const [first, second] = [freeAddress(), freeAddress()];
  desk.address = first;
  desk.exporter.open();
  desk.address = second;
  desk.exporter.follow();
  expect([await answers(first), await answers(second)]).toEqual([false, true]);

  const other = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  try {
    desk.address = { host: "127.0.0.1", port: other.port };
    desk.exporter.follow();
    desk.exporter.follow();
    expect(desk.said).toEqual(["metrics can't be offered at the new address"]);
    expect(await answers(second)).toBe(true);
  } finally {
    other.stop(true);
  }
  desk.address = { host: "0.0.0.0", port: second.port };
  desk.exporter.follow();
  expect(await answers(second)).toBe(true);
  desk.address = undefined;
  desk.exporter.follow();
  expect(await answers(second)).toBe(false);
});
