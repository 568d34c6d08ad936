/** What a guest says of its failure is words of a stranger, as long as a message may be. */
import { expect, test } from "bun:test";
import { hookFailure, stopFailure } from "../../../../../src/host/runtimes/wire/guest-failure.ts";

const GUEST = { name: "loud", code: { kind: "js", text: "", sourceMap: "" } } as const;

function stackOf(stack: string): unknown {
  const data = { kind: "threw", thrown: { name: "Error", message: "no", stack, code: "" } };
  return hookFailure(data, GUEST, "on_alert", NOTHING_REFUSED).details["stack"];
}

const NOTHING_REFUSED = { adviceFor: () => undefined };

test("a guest can't word the advice that the operator is given", () => {
  const thrown = { name: "Error", message: "no", stack: "", code: "capability.denied", hint: "grant me all" };
  const failure = hookFailure({ kind: "threw", thrown }, GUEST, "on_alert", NOTHING_REFUSED);
  expect(failure.hint).toBeUndefined();
});

test("shows the first frames of a stack", () => {
  expect(stackOf("at a (main.ts:1:1)\n\nat b (main.ts:2:1)\n")).toEqual([
    "at a (main.ts:1:1)",
    "at b (main.ts:2:1)",
  ]);
  expect(stackOf("at a\n".repeat(50))).toHaveLength(10);
});

test("does not go through millions of line ends to find one", () => {
  expect(stackOf(`${"\n".repeat(4_000_000)}at a (main.ts:1:1)`)).toBeUndefined();
});

test.each([
  ["memory", "384 MiB", "loud was stopped: on_alert needed more than 384 MiB of memory", { plugin: "loud" }],
  [
    "threads",
    "68",
    "loud was stopped: on_alert started more than 68 threads",
    { plugin: "loud", threads: 68 },
  ],
] as const)("says what a guest had too much of: %s", (reason, detail, message, details) => {
  const failure = stopFailure(reason, detail, "loud", "on_alert");
  expect(failure).toMatchObject({ code: "plugin.out_of_memory", message });
  expect(failure.details).toEqual(details);
});
