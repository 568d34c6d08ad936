import { expect, test } from "bun:test";
import { join } from "node:path";
import { SDK_MODULE } from "../../../../src/host/bundle/sdk-module.ts";
import * as sdk from "../../../../src/sdk/index.ts";
import { tempDir } from "../../../harness.ts";

test("a plugin's @voxeltron/sdk has every value of the SDK, and each is equal", async () => {
  await using dir = tempDir();
  const file = join(dir.path, "sdk.js");
  await Bun.write(file, SDK_MODULE);
  const given = (await import(file)) as Record<string, unknown>;
  expect(Object.keys(given).toSorted()).toEqual(Object.keys(sdk).toSorted());
  for (const [name, value] of Object.entries(sdk)) {
    if (typeof value === "function") expect(typeof given[name]).toBe("function");
    else expect(given[name]).toEqual(value);
  }
  const { isHookName, definePlugin } = given as unknown as typeof sdk; // the module is text: its types are the SDK's
  expect([isHookName("on_alert"), isHookName("toString")]).toEqual([true, false]);
  const plugin = {};
  expect(definePlugin(plugin)).toBe(plugin);
});
