import { expect, test } from "bun:test";
import { containerStatus } from "../../../../../src/engine/providers/docker/container-status.ts";

const state = {
  Status: "running",
  Running: true,
  Paused: false,
  Restarting: false,
  OOMKilled: false,
  Dead: false,
  Pid: 1,
  ExitCode: 0,
  Error: "",
  StartedAt: "2026-01-31T08:00:00.123456789Z",
  FinishedAt: "0001-01-01T00:00:00Z",
};

test("a running container has no exit code", () => {
  expect(containerStatus({ State: state, RestartCount: 2 })).toEqual({
    state: "running",
    restarts: 2,
    startedAt: "2026-01-31T08:00:00.123Z",
  });
});

test("a container that was killed for its memory says so", () => {
  const killed = { ...state, Status: "exited", Running: false, OOMKilled: true, ExitCode: 137 };
  expect(containerStatus({ State: killed, RestartCount: 0 })).toMatchObject({
    state: "exited",
    exitCode: 137,
    detail: "out of memory",
  });
});

test("a container that never started has no start, and the engine's reason", () => {
  const created = {
    ...state,
    Status: "created",
    ExitCode: 128,
    Error: "no such port",
    StartedAt: "0001-01-01T00:00:00Z",
  };
  expect(containerStatus({ State: created, RestartCount: 0 })).toEqual({
    state: "created",
    restarts: 0,
    detail: "no such port",
  });
});

test.each([
  ["paused", "paused"],
  ["restarting", "restarting"],
  ["removing", "exited"],
  ["dead", "dead"],
] as const)("%s is %s", (status, expected) => {
  expect(containerStatus({ State: { ...state, Status: status }, RestartCount: 0 }).state).toBe(expected);
});
