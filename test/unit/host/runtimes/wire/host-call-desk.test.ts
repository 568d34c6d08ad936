import { expect, test } from "bun:test";
import { fail } from "../../../../../src/base/errors.ts";
import { LIMITS } from "../../../../../src/base/limits.ts";
import { makeHostCallDesk } from "../../../../../src/host/runtimes/wire/host-call-desk.ts";
import { until } from "../../../../harness.ts";

function setUp() {
  const sent: { readonly id: number }[] = [];
  const door = {
    methods: [],
    log() {},
    invoke: (_method: string, _params: unknown, signal?: AbortSignal) =>
      new Promise<never>((_, reject) => {
        signal?.addEventListener("abort", () => reject(fail("operation.interrupted", "cancelled")));
      }),
  };
  const link = {
    send: (text: string) => void sent.push(JSON.parse(text) as { id: number }),
    unread: () => 0,
  };
  return { sent, door, link, desk: makeHostCallDesk(door, link, () => "on_alert") };
}

const call = (id: number, method: string) => ({ id, params: { method, params: {} } });

test("a cancelled call is ended and answered, so that the Worker knows when it is over", async () => {
  const { desk, sent } = setUp();
  desk.open(call(1, "net.fetch"), 100);
  desk.cancel(1);
  expect(desk.open(call(1, "net.fetch"), 100)).toBe(false);
  await until(() => sent.length > 0, { timeoutMs: 1000, what: "the answer" });
  expect(sent).toMatchObject([{ id: 1, error: { data: { code: "operation.interrupted" } } }]);
  expect(desk.open(call(1, "net.fetch"), 100)).toBe(true);
  desk.close();
});

test("after the end of the room nothing is answered", async () => {
  const { desk, sent } = setUp();
  desk.open(call(1, "net.fetch"), 100);
  desk.close();
  await new Promise((resolve) => setImmediate(resolve));
  expect(sent).toEqual([]);
});

test("a guest that does not read its answers gets no more of them, but for the word that says so", async () => {
  const { door, link, sent } = setUp();
  const answering = { ...door, invoke: async () => "x".repeat(1000) };
  const busy = { ...link, unread: () => LIMITS.guestUnreadChars - 500 };
  const desk = makeHostCallDesk(answering, busy, () => "on_alert");
  desk.open(call(1, "kv.list"), 100);
  await until(() => sent.length > 0, { timeoutMs: 1000, what: "the answer" });
  expect(sent).toMatchObject([{ id: 1, error: { data: { code: "capability.limit" } } }]);
});

test.each([
  ["an answer", () => Promise.resolve("x".repeat(LIMITS.messageBytes))],
  ["an error", () => Promise.reject(fail("network.failed", "x".repeat(LIMITS.messageBytes)))],
])("%s that is larger than a message is answered with the words that say so", async (_what, invoke) => {
  const { door, link, sent } = setUp();
  makeHostCallDesk({ ...door, invoke }, link, () => "on_alert").open(call(1, "net.fetch"), 100);
  await until(() => sent.length > 0, { timeoutMs: 1000, what: "the answer" });
  expect(sent).toMatchObject([
    {
      id: 1,
      error: {
        data: { code: "capability.limit", message: expect.stringContaining("the answer of net.fetch has") },
      },
    },
  ]);
});
