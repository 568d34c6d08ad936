/** Who runs into a refusal is told what would allow it, in the broker's own words. */
import { expect, test } from "bun:test";
import { fail } from "../../../../../src/base/errors.ts";
import { LIMITS } from "../../../../../src/base/limits.ts";
import { rememberRefusals } from "../../../../../src/host/runtimes/wire/refusals.ts";
import { recordedDoor } from "../../../../js-room.ts";
import { rejection } from "../../../../fixtures/rejection.ts";

const refuseAll = recordedDoor((method) => {
  throw fail("capability.denied", `no ${method} for you`, { hint: `grant ${method}` });
});

test("finds the advice of the refusal that is quoted, also within other words", async () => {
  const { door, adviceFor } = rememberRefusals(refuseAll);
  await rejection(door.invoke("fs.read", {}));
  await rejection(door.invoke("kv.get", {}));
  expect(adviceFor("no fs.read for you")).toBe("grant fs.read");
  expect(adviceFor("could not save: no kv.get for you (again)")).toBe("grant kv.get");
});

test("has no advice for what was never refused", async () => {
  const { door, adviceFor } = rememberRefusals(refuseAll);
  await rejection(door.invoke("fs.read", {}));
  expect(adviceFor("no docker.create for you")).toBeUndefined();
  expect(adviceFor("")).toBeUndefined();
});

test("remembers the newest refusals and no more", async () => {
  const { door, adviceFor } = rememberRefusals(refuseAll);
  for (let n = 0; n <= LIMITS.refusalsRemembered; n++) await rejection(door.invoke(`m${n}.`, {}));
  expect(adviceFor("no m0. for you")).toBeUndefined();
  expect(adviceFor("no m1. for you")).toBe("grant m1.");
});

test("passes answers and refusals on as they are", async () => {
  const answering = rememberRefusals(recordedDoor(() => 7)).door;
  expect(await answering.invoke("kv.get", { key: "a" })).toBe(7);
  const { door } = rememberRefusals(refuseAll);
  expect(await rejection(door.invoke("fs.read", {}))).toMatchObject({
    code: "capability.denied",
    hint: "grant fs.read",
  });
});
