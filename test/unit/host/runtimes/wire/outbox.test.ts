import { expect, test } from "bun:test";
import { LIMITS } from "../../../../../src/base/limits.ts";
import { makeOutbox } from "../../../../../src/host/runtimes/wire/outbox.ts";
import { fakeClock } from "../../../../harness.ts";

test("a call that was cancelled counts as waiting until the daemon has answered it", () => {
  const posted: string[] = [];
  const outbox = makeOutbox(
    (text) => void posted.push(text),
    (text) => text,
    fakeClock(),
  );
  for (let id = 1; id <= LIMITS.guestPendingCalls; id++) {
    expect(outbox.host(id, "{}")).toBe("");
    outbox.cancel(id);
  }
  expect(outbox.host(101, "{}")).toContain("wait for an answer");
  expect(posted).toHaveLength(2 * LIMITS.guestPendingCalls);
  outbox.hostAnswered(1);
  expect(outbox.host(102, "{}")).toBe("");
});
