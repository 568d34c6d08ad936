import { describe, expect, test } from "bun:test";
import { LIMITS } from "../../../../src/base/limits.ts";
import { selfMethods } from "../../../../src/host/capabilities/self.ts";
import type { Caller } from "../../../../src/host/capabilities/method.ts";
import { openDatabase } from "../../../../src/state/database.ts";
import { makePluginKvRows } from "../../../../src/state/plugin-kv.ts";
import { rejection } from "../../../fixtures/rejection.ts";
import { runMethod } from "../../../fixtures/run-method.ts";

function setUp() {
  const rows = makePluginKvRows(openDatabase(":memory:"));
  const methods = new Map(selfMethods(rows).map((method) => [method.name, method]));
  function as(plugin: string) {
    const caller: Caller = {
      plugin,
      grants: new Map(),
      requested: new Set(),
      optional: new Set(),
      withheld: new Set(),
    };
    return async (name: string, params: unknown): Promise<unknown> => {
      const method = methods.get(name);
      if (method === undefined) throw new Error(`no method ${name}`);
      return runMethod(method, caller, params);
    };
  }
  return { rows, as };
}

describe("kv", () => {
  test("keeps any JSON, lists keys by prefix in order, and deletes", async () => {
    const call = setUp().as("a");
    expect(await call("kv.get", { key: "x" })).toBeUndefined();
    await call("kv.set", { key: "n/2", value: { deep: [1, null, "ü"] } });
    await call("kv.set", { key: "n/1", value: false });
    await call("kv.set", { key: "other" });
    expect(await call("kv.get", { key: "n/2" })).toEqual({ deep: [1, null, "ü"] });
    expect(await call("kv.get", { key: "n/1" })).toBe(false);
    expect(await call("kv.get", { key: "other" })).toBeNull();
    expect(await call("kv.list", { prefix: "n/" })).toEqual(["n/1", "n/2"]);
    expect(await call("kv.list", {})).toEqual(["n/1", "n/2", "other"]);
    expect(await call("kv.delete", { key: "n/1" })).toBe(true);
    expect(await call("kv.delete", { key: "n/1" })).toBe(false);
  });

  test("no plugin sees another's keys", async () => {
    const { as } = setUp();
    await as("a")("kv.set", { key: "secret", value: 1 });
    expect(await as("b")("kv.get", { key: "secret" })).toBeUndefined();
    expect(await as("b")("kv.list", {})).toEqual([]);
    expect(await as("b")("kv.delete", { key: "secret" })).toBe(false);
    expect(await as("a")("kv.get", { key: "secret" })).toBe(1);
  });

  test.each([{ key: "" }, { key: "x".repeat(257) }, { key: 1 }, {}, { key: "a", plugin: "b" }])(
    "the key %j is refused",
    async (params) => {
      expect(await rejection(setUp().as("a")("kv.get", params))).toHaveProperty("message", "invalid");
    },
  );

  test("a value that is too large is refused and the old one stays", async () => {
    const call = setUp().as("a");
    await call("kv.set", { key: "x", value: 1 });
    expect(
      await rejection(call("kv.set", { key: "x", value: "y".repeat(LIMITS.kvValueBytes) })),
    ).toMatchObject({
      code: "capability.limit",
    });
    expect(await call("kv.get", { key: "x" })).toBe(1);
  });

  test("a store that is full is refused, and has room again after a delete", async () => {
    const call = setUp().as("a");
    const value = "y".repeat(LIMITS.kvValueBytes - 2);
    for (let i = 0; i < 31; i++) await call("kv.set", { key: `k${i}`, value });
    expect(await rejection(call("kv.set", { key: "k31", value }))).toMatchObject({
      code: "capability.limit",
    });
    await call("kv.delete", { key: "k0" });
    await call("kv.set", { key: "k31", value });
  });

  test("the number of keys is bounded, and a store that was cleared is empty again", async () => {
    const { as, rows } = setUp();
    const call = as("a");
    for (let i = 0; i < LIMITS.kvKeysPerPlugin; i++) rows.set("a", `k${i}`, "1", LIMITS.kvBytesPerPlugin);
    expect(await rejection(call("kv.set", { key: "more", value: 1 }))).toMatchObject({
      code: "capability.limit",
    });
    await call("kv.set", { key: "k1", value: 2 });
    await call("kv.delete", { key: "k2" });
    await call("kv.delete", { key: "k2" });
    await call("kv.set", { key: "one", value: 1 });
    expect(await rejection(call("kv.set", { key: "more", value: 1 }))).toMatchObject({
      code: "capability.limit",
    });
    rows.clear("a");
    await call("kv.set", { key: "more", value: 1 });
  });

  test("a full store costs no more at each call than an empty one", async () => {
    const { as, rows } = setUp();
    const call = as("a");
    for (let i = 0; i < LIMITS.kvKeysPerPlugin; i++) rows.set("a", `k${i}`, "1", LIMITS.kvBytesPerPlugin);
    const before = performance.now();
    for (let i = 0; i < 500; i++) {
      expect(await call("kv.list", { prefix: "none" })).toEqual([]);
      await rejection(call("kv.set", { key: "more", value: 1 }));
      await call("kv.delete", { key: `k${i}` });
      await call("kv.set", { key: `k${i}`, value: 1 });
    }
    // Where each call looks at every key, this takes five seconds and more.
    expect(performance.now() - before).toBeLessThan(2_000);
  });

  test("a prefix is a prefix, whatever it is made of", async () => {
    const call = setUp().as("a");
    const keys = ["a", "a\0b", "ab", "ab\u{10ffff}", "ab\u{10ffff}z", "ac", "aB", "b"];
    for (const key of keys) await call("kv.set", { key, value: 1 });
    for (const prefix of ["", "a", "a\0", "ab", "ab\u{10ffff}", "b", "c"])
      expect(await call("kv.list", { prefix })).toEqual(
        keys
          .filter((key) => key.startsWith(prefix))
          .toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))),
      );
  });

  test("a value of megabytes is refused before it is written out", async () => {
    const error = await rejection(setUp().as("a")("kv.set", { key: "x", value: "\u0001".repeat(1_000_000) }));
    expect(error).toMatchObject({ code: "capability.limit" });
  });
});
