import { expect, test } from "bun:test";
import { confineBundler, confinePlugins } from "../../../src/host/confine-or-not.ts";

const LINUX = { isLinux: true, canConfine: true, allowUnconfined: false };

test.each([
  ["as it should be", LINUX, true, true],
  ["what can be confined is, whatever is allowed", { ...LINUX, allowUnconfined: true }, true, true],
  ["what can't be is asked to be, so that it is not started", { ...LINUX, canConfine: false }, true, true],
  ["unless it is allowed", { ...LINUX, canConfine: false, allowUnconfined: true }, false, false],
  ["elsewhere the bundler alone runs", { ...LINUX, isLinux: false, canConfine: false }, true, false],
])("%s", (_what, facts, plugins, bundler) => {
  expect(confinePlugins(facts)).toBe(plugins);
  expect(confineBundler(facts)).toBe(bundler);
});
