/** What the daemon says of its plugins' processes: confined, allowed not to be, or not started. */
import { expect, test } from "bun:test";
import { statusOf, warning } from "../../../src/daemon/confinement.ts";
import type { ConfinementFacts } from "../../../src/host/confine-or-not.ts";
import type { ConfinementReport } from "../../../src/platform/confine/report.ts";

const good: ConfinementReport = {
  ok: true,
  checks: [
    { name: "landlock", required: true, ok: true, found: "version 7" },
    { name: "cgroup", required: false, ok: false, found: "none" },
  ],
};
const bad: ConfinementReport = {
  ok: false,
  checks: [{ name: "landlock", required: true, ok: false, found: "no Landlock" }, ...good.checks.slice(1)],
};
const notLinux: ConfinementReport = {
  ok: false,
  checks: [{ name: "system", required: true, ok: false, found: "darwin" }],
};
const linux: ConfinementFacts = { canConfine: true, isLinux: true, allowUnconfined: false };

test.each([
  ["confined", good, linux, undefined],
  ["confined", good, { ...linux, allowUnconfined: true }, undefined],
  ["unavailable", bad, { ...linux, canConfine: false }, "none of a plugin is started"],
  ["unconfined", bad, { ...linux, canConfine: false, allowUnconfined: true }, "NOT confined"],
  ["unavailable", notLinux, { ...linux, canConfine: false, isLinux: false }, "the bundler is not confined"],
  [
    "unavailable",
    notLinux,
    { canConfine: false, isLinux: false, allowUnconfined: true },
    "plugins run in the Worker room only",
  ],
  [
    "unavailable",
    notLinux,
    { ...linux, canConfine: false, allowUnconfined: true },
    "none of a plugin is started",
  ],
])("%s", (state, report, facts, words) => {
  const status = statusOf(report, facts);
  const found = report.checks.filter(({ ok, required }) => required && !ok);
  const missing = found.map((check) => `${check.name}: ${check.found}`);
  expect(status as unknown).toEqual({ state, missing });
  const said = warning(facts, status);
  if (words === undefined) expect(said).toBeUndefined();
  else {
    expect(said).toContain(words);
    for (const each of missing) expect(said).toContain(each);
  }
});
