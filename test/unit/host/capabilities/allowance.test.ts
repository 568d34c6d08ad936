import { expect, test } from "bun:test";
import { makeAllowance } from "../../../../src/host/capabilities/allowance.ts";
import { rejection } from "../../../fixtures/rejection.ts";

const never = new AbortController().signal;

test("those who find no place wait in order, and get one as others leave", async () => {
  const allowance = makeAllowance({ places: 1, bytes: 10 });
  const first = await allowance.enter(never);
  const order: number[] = [];
  const second = allowance.enter(never).then((lease) => (order.push(2), lease));
  const third = allowance.enter(never).then((lease) => (order.push(3), lease));
  await Bun.sleep(0);
  expect(order).toEqual([]);
  first.leave();
  first.leave();
  (await second).leave();
  (await third).leave();
  expect(order).toEqual([2, 3]);
});

test("who gives up while waiting takes no place away", async () => {
  const allowance = makeAllowance({ places: 1, bytes: 10 });
  const first = await allowance.enter(never);
  const stop = new AbortController();
  const second = allowance.enter(stop.signal);
  const third = allowance.enter(never);
  stop.abort(new Error("gone"));
  expect(await rejection(second)).toHaveProperty("message", "gone");
  first.leave();
  (await third).leave();
  (await allowance.enter(never)).leave();
});

test("bytes are counted for all together and given back", async () => {
  const allowance = makeAllowance({ places: 2, bytes: 10 });
  const [a, b] = [await allowance.enter(never), await allowance.enter(never)];
  a.hold(6);
  expect(() => b.hold(5)).toThrow(expect.objectContaining({ code: "capability.limit" }));
  b.hold(4);
  a.leave();
  b.hold(6);
  b.leave();
});
