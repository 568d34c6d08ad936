import { expect, test } from "bun:test";
import type { VoxError } from "../../../../../src/base/errors.ts";
import { reportEnd } from "../../../../../src/host/runtimes/process/report-end.ts";
import type { SeenEnd } from "../../../../../src/host/runtimes/process/watch-end.ts";

function report(end: SeenEnd): { gone?: readonly string[]; failed?: VoxError } {
  const told: ReturnType<typeof report> = {};
  reportEnd(end, "sample", {
    gone: (...words) => void (told.gone = words),
    failed: (error) => void (told.failed = error),
  });
  return told;
}

test.each<[SeenEnd, readonly string[]]>([
  [{ kind: "status", status: 7 }, ["crash", "its process ended with exit status 7"]],
  [
    { kind: "signal", signal: "SIGSEGV" },
    ["crash", "its process was ended by SIGSEGV (a memory access that is not allowed)"],
  ],
  [{ kind: "signal", signal: "SIGUSR1" }, ["crash", "its process was ended by SIGUSR1"]],
  [{ kind: "memory", bytes: 300_000_000 }, ["memory", "384 MiB"]],
  [{ kind: "threads", most: 68 }, ["threads", "68"]],
  [{ kind: "closed" }, ["crash", "its process closed its connection"]],
])("%p", (end, told) => {
  expect(report(end)).toEqual({ gone: told });
});

test("a process that could not be confined is no crash: the error names the step, the reason and what to do", () => {
  const { failed } = report({ kind: "unconfined", step: "landlock", reason: "EPERM" });
  expect(failed).toMatchObject({
    code: "confinement.unavailable",
    message: "sample was not started: its process could not be confined (landlock: EPERM)",
    details: { plugin: "sample", step: "landlock", reason: "EPERM" },
  });
  expect(failed?.hint).toContain("voxeltron doctor");
});
