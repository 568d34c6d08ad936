import { describe, expect, test } from "bun:test";
import { howItEnded, type Ending } from "../../../../src/platform/confine/process-end.ts";
import { readPlan, writePlan, type ConfinePlan } from "../../../../src/platform/confine/plan.ts";
import { parseStat } from "../../../../src/platform/confine/process-stat.ts";

const ended: Ending = {
  status: 0,
  signal: null,
  excess: undefined,
  killed: false,
  stderr: "sealed\n",
};

describe("how a confined process ended", () => {
  test.each([
    ["by itself", {}, { kind: "status", status: 0 }],
    ["by itself, with a status", { status: 3 }, { kind: "status", status: 3 }],
    ["by a crash", { status: null, signal: "SIGSEGV" }, { kind: "signal", signal: "SIGSEGV" }],
    [
      "by the daemon",
      { status: null, signal: "SIGKILL", killed: true },
      { kind: "signal", signal: "SIGKILL" },
    ],
    [
      "by the daemon, before it was sealed",
      { status: null, signal: "SIGKILL", killed: true, stderr: "" },
      { kind: "signal", signal: "SIGKILL" },
    ],
    [
      "for its memory",
      { status: null, signal: "SIGKILL", excess: { kind: "memory", bytes: 99 } },
      { kind: "memory", bytes: 99 },
    ],
    [
      "for its threads",
      { status: null, signal: "SIGKILL", excess: { kind: "threads", most: 68 } },
      { kind: "threads", most: 68 },
    ],
    [
      "because it can't be confined",
      { status: 71, stderr: '{"step":"landlock","reason":"no"}\n' },
      { kind: "unconfined", step: "landlock", reason: "no" },
    ],
    [
      "because it can't be confined, when the daemon had given it up too",
      { status: 71, killed: true, stderr: '{"step":"landlock","reason":"no"}\n' },
      { kind: "unconfined", step: "landlock", reason: "no" },
    ],
    [
      "at its start, with a message",
      { status: 127, stderr: "\nx: error while loading shared libraries\n\n" },
      { kind: "unconfined", step: "start", reason: "x: error while loading shared libraries" },
    ],
    [
      "at its start, without a word",
      { status: null, signal: "SIGABRT", stderr: "" },
      { kind: "unconfined", step: "start", reason: "the process ended with SIGABRT" },
    ],
    [
      "with a line that is no reason",
      { status: 1, stderr: '{"step":1}\n' },
      { kind: "unconfined", step: "start", reason: '{"step":1}' },
    ],
    ["with words before it was sealed", { stderr: "warning\nsealed\n" }, { kind: "status", status: 0 }],
  ] as const)("%s", (_, ending, end) => {
    expect(howItEnded({ ...ended, ...ending })).toEqual(end);
  });
});

describe("the plan", () => {
  const plan: ConfinePlan = {
    profile: "guest",
    uid: 200_000,
    dataBytes: 2 ** 29,
    cpuSeconds: undefined,
    parent: 4711,
    confined: true,
    kept: [5, 6],
  };

  test("comes back as it was written", () => {
    expect(readPlan(writePlan(plan))).toEqual(plan);
  });

  test.each([
    ["nothing", undefined],
    ["no JSON", "guest"],
    ["null", "null"],
    ["another profile", JSON.stringify({ ...plan, profile: "root" })],
    ["a uid that is no number", JSON.stringify({ ...plan, uid: "0" })],
    ["a uid with a fraction", JSON.stringify({ ...plan, uid: 0.5 })],
    ["no word on confinement", JSON.stringify({ ...plan, confined: undefined })],
    ["descriptors that are none", JSON.stringify({ ...plan, kept: ["3"] })],
    ["no descriptors", JSON.stringify({ ...plan, kept: undefined })],
  ])("is none: %s", (_, text) => {
    expect(readPlan(text)).toBeUndefined();
  });
});

test.each([
  ["4711 (vox) S 1 4711 4711 0 -1 4194560 1 2 3 4 150 25 0 0 20", 1750],
  ["4711 (a) (b 9 9) R 1 1 1 0 -1 0 0 0 0 0 7 8 0 0", 150],
  ["", undefined],
])("the CPU time in %j is %p ms", (stat, ms) => {
  expect(parseStat(stat)?.cpuMs).toBe(ms as number);
});
