/** What `plugin call --event` may send, and what it is told when it sends something else. */
import { describe, expect, test } from "bun:test";
import { isVoxError } from "../../../../src/base/errors.ts";
import { parseEvent } from "../../../../src/engine/events/parse-event.ts";
import { sampleEvent } from "../../../../src/engine/events/samples.ts";
import { HOOK_NAMES, type HookName } from "../../../../src/sdk/index.ts";

const stamp = { id: "0193a2b4-5c6d-7e8f-9a0b-1c2d3e4f5a6b", at: "2026-11-21T22:02:20.123Z" };

function faultOf(hook: HookName, value: unknown) {
  try {
    parseEvent(hook, value, stamp);
  } catch (error) {
    if (!isVoxError(error)) throw error;
    expect(error.code).toBe("event.invalid");
    return { message: error.message, ...error.details };
  }
  throw new Error("it was accepted");
}

describe("sampleEvent and parseEvent", () => {
  test.each(HOOK_NAMES)(
    "the sample of %s is an event of that hook, with the id and time it was given",
    (hook) => {
      const event = sampleEvent(hook, stamp);
      expect(parseEvent(hook, event, stamp)).toEqual(event);
      expect(event).toMatchObject({ ...stamp, hook });
    },
  );

  test.each(HOOK_NAMES)("every field of %s is checked: one that is missing is named", (hook) => {
    const sample: Record<string, unknown> = { ...sampleEvent(hook, stamp) };
    for (const key of Object.keys(sample)) {
      const { [key]: _left, ...rest } = sample;
      const optional = ["id", "hook", "at"].includes(key) || (hook === "on_alert" && key === "service");
      if (optional) expect(parseEvent(hook, rest, stamp)).toBeDefined();
      else expect(faultOf(hook, rest)).toMatchObject({ path: key, found: "nothing" });
    }
  });

  test("id, hook and at may be left out, and are kept where they are given", () => {
    const { id: _id, hook: _hook, at: _at, ...data } = sampleEvent("on_alert", stamp);
    expect(parseEvent("on_alert", data, stamp)).toMatchObject({ ...stamp, hook: "on_alert" });
    const own = { id: "0193a2b4-0000-7000-8000-000000000000", at: "2020-01-01T00:00:00Z" };
    expect(parseEvent("on_alert", { ...data, ...own }, stamp)).toMatchObject(own);
  });
});

describe("parseEvent refuses", () => {
  const deploy = sampleEvent("on_deploy_success", stamp);
  const failed = sampleEvent("on_deploy_fail", stamp);
  const cases: readonly (readonly [
    string,
    HookName,
    unknown,
    path: string,
    wanted: RegExp,
    found: string,
  ])[] = [
    ["a list", "on_deploy_success", [], "", /^an object$/, "a list"],
    ["null", "on_deploy_success", null, "", /^an object$/, "null"],
    ["text", "on_deploy_success", "x", "", /^an object$/, '"x"'],
    ["an empty domain", "on_deploy_success", { ...deploy, domain: "" }, "domain", /not empty/, '""'],
    ["a version 0", "on_deploy_success", { ...deploy, version: 0 }, "version", /1 or more/, "0"],
    ["a version as text", "on_deploy_success", { ...deploy, version: "7" }, "version", /whole number/, '"7"'],
    ["half a version", "on_deploy_success", { ...deploy, version: 1.5 }, "version", /whole number/, "1.5"],
    ["a negative time", "on_deploy_success", { ...deploy, durationMs: -1 }, "durationMs", /0 or more/, "-1"],
    [
      "a list of numbers",
      "on_deploy_success",
      { ...deploy, domains: ["a", 1] },
      "domains.1",
      /a string/,
      "1",
    ],
    [
      "another hook's event",
      "on_deploy_success",
      { ...deploy, hook: "on_alert" },
      "hook",
      /on_deploy_success/,
      '"on_alert"',
    ],
    [
      "an unknown hook",
      "on_deploy_success",
      { ...deploy, hook: "on_x" },
      "hook",
      /on_deploy_success/,
      '"on_x"',
    ],
    [
      "a local time",
      "on_deploy_success",
      { ...deploy, at: "2026-11-21T22:02:20+01:00" },
      "at",
      /UTC/,
      '"2026-11-21T22:02:20+01:00"',
    ],
    [
      "month 13",
      "on_deploy_success",
      { ...deploy, at: "2026-13-21T22:02:20Z" },
      "at",
      /UTC/,
      '"2026-13-21T22:02:20Z"',
    ],
    ["an id of its own make", "on_deploy_success", { ...deploy, id: "1" }, "id", /UUID/, '"1"'],
    [
      "a misspelt field",
      "on_deploy_success",
      { ...deploy, domian: "x" },
      "domian",
      /did you mean "domain"/,
      '"x"',
    ],
    ["an error of a success", "on_deploy_success", { ...deploy, error: "x" }, "error", /nothing/, '"x"'],
    [
      "a failure without error",
      "on_deploy_fail",
      { ...failed, error: undefined },
      "error",
      /a string/,
      "nothing",
    ],
    [
      "a third alert state",
      "on_alert",
      { ...sampleEvent("on_alert", stamp), state: "ok" },
      "state",
      /"firing" or "resolved"/,
      '"ok"',
    ],
    [
      "env of numbers",
      "pre_start",
      { ...sampleEvent("pre_start", stamp), env: { A: 1 } },
      "env.A",
      /a string/,
      "1",
    ],
    [
      "another event's name",
      "pre_start",
      { ...sampleEvent("pre_start", stamp), event: "pre_stop" },
      "event",
      /pre_start/,
      '"pre_stop"',
    ],
  ];
  test.each(cases)("%s", (_name, hook, value, path, wanted, found) => {
    const fault = faultOf(hook, value);
    expect(fault).toMatchObject({ hook, path, wanted: expect.stringMatching(wanted), found });
  });

  test("and says it in one clause without control characters", () => {
    const { message } = faultOf("on_alert", { ...sampleEvent("on_alert", stamp), "\u001B[31mred": 1 });
    expect(message).toBe('"[31mred" in the on_alert event: wanted no such field, found 1');
  });
});
