import { expect, test } from "bun:test";
import { fail } from "../../../../../src/base/errors.ts";
import { makeHostCallDesk } from "../../../../../src/host/runtimes/js-worker/host-call-desk.ts";
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
  return { sent, desk: makeHostCallDesk(door, (text) => void sent.push(JSON.parse(text) as { id: number })) };
}

test("a cancelled call is ended and answered, so that the Worker knows when it is over", async () => {
  const { desk, sent } = setUp();
  desk.open(1, "net.fetch", {});
  desk.cancel(1);
  expect(desk.open(1, "net.fetch", {})).toBe(false);
  await until(() => sent.length > 0, { timeoutMs: 1000, what: "the answer" });
  expect(sent).toMatchObject([{ id: 1, error: { data: { code: "operation.interrupted" } } }]);
  expect(desk.open(1, "net.fetch", {})).toBe(true);
  desk.close();
});

test("after the end of the room nothing is answered", async () => {
  const { desk, sent } = setUp();
  desk.open(1, "net.fetch", {});
  desk.close();
  await new Promise((resolve) => setImmediate(resolve));
  expect(sent).toEqual([]);
});
