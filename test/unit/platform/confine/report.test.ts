import { expect, test } from "bun:test";
import { whatIsMissing, type ConfinementCheck } from "../../../../src/platform/confine/report.ts";

const check = (name: ConfinementCheck["name"], ok: boolean): ConfinementCheck => ({
  name,
  ok,
  required: name !== "uid" && name !== "cgroup",
  found: name,
});
const without = (...names: readonly ConfinementCheck["name"][]) => {
  const all = (["system", "landlock", "seccomp", "limits", "uid", "cgroup"] as const).map((name) =>
    check(name, !names.includes(name)),
  );
  return { ok: all.every(({ ok, required }) => ok || !required), checks: all };
};
const confined = { confined: true, uid: undefined };
const unconfined = { confined: false, uid: undefined };

test.each([
  ["nothing, where all is there", without(), { ...confined, uid: 1 }, undefined],
  ["the system, even for what need not be confined", without("system"), unconfined, "system"],
  ["Landlock", without("landlock", "seccomp"), confined, "landlock"],
  ["nothing, for what need not be confined", without("landlock", "seccomp", "limits"), unconfined, undefined],
  ["filters", without("seccomp"), confined, "seccomp"],
  [
    "the right to make it another user, where it is to be one",
    without("uid"),
    { ...confined, uid: 1 },
    "uid",
  ],
  ["the same where it need not be confined", without("uid"), { ...unconfined, uid: 1 }, "uid"],
  ["nothing, where it stays the daemon's user", without("uid"), confined, undefined],
  ["never the kernel's memory groups", without("cgroup"), { ...confined, uid: 1 }, undefined],
] as const)("what is missing is %s", (_, report, wanted, name) => {
  expect(whatIsMissing(report, wanted)?.name).toBe(name as never);
});
