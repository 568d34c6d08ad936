import { expect, test } from "bun:test";
import { backOffMs, wantsRestart } from "../../../../../src/engine/providers/process/back-off.ts";
import { checkProcessSpec } from "../../../../../src/engine/providers/process/check.ts";
import { NEVER_RAN } from "../../../../../src/engine/providers/process/instance-files.ts";
import { isSameProcess, parseStat } from "../../../../../src/engine/providers/process/process-table.ts";
import { describeRun } from "../../../../../src/engine/providers/process/run-status.ts";
import { makeSerial } from "../../../../../src/engine/serial.ts";
import { instanceSpec } from "../../../../fixtures/instance-spec.ts";

test("the pause doubles from one second to a minute", () => {
  expect([1, 2, 3, 6, 7, 8, 1000].map(backOffMs)).toEqual([1000, 2000, 4000, 32_000, 60_000, 60_000, 60_000]);
});

test.each([
  ["always", 0, true],
  ["always", 1, true],
  ["on-failure", 0, false],
  ["on-failure", 1, true],
  ["on-failure", undefined, true],
  ["no", 1, false],
] as const)("restart %s after exit code %p: %p", (policy, code, expected) => {
  expect(wantsRestart(policy, code)).toBe(expected);
});

test("nothing in a spec is silently ignored", () => {
  const good = instanceSpec({ directory: "/srv/app" });
  const refused = [
    instanceSpec(),
    { ...good, image: "nginx" },
    { ...good, memoryBytes: 1 },
    { ...good, cpus: 1 },
    { ...good, volumes: [{ source: "a", target: "/a", readOnly: false }] },
  ];
  expect(() => checkProcessSpec(good, "linux")).not.toThrow();
  for (const spec of refused) {
    expect(() => checkProcessSpec(spec, "linux")).toThrow(
      expect.objectContaining({ code: "provider.unsupported" }),
    );
  }
  expect(() => checkProcessSpec(good, "darwin")).toThrow(
    expect.objectContaining({ code: "provider.unsupported" }),
  );
});

test("a workspace needs a command, and can have no image and no port that leads to another", () => {
  const good = instanceSpec({ service: undefined, workspace: "shop", command: ["sleep", "1"] });
  const port = { key: "app", inside: 8080, outside: 8080 };
  expect(() => checkProcessSpec({ ...good, ports: [port] }, "linux")).not.toThrow();
  for (const spec of [
    { ...good, command: undefined },
    { ...good, image: "nginx" },
    { ...good, ports: [{ ...port, inside: 3000 }] },
    { ...good, memoryBytes: 1 },
    { ...good, volumes: [{ source: "a", target: "/a", readOnly: false }] },
  ])
    expect(() => checkProcessSpec(spec, "linux")).toThrow(
      expect.objectContaining({ code: "provider.unsupported" }),
    );
});

test("a name with brackets and blanks does not confuse the fields of a process", () => {
  const rest = Array.from({ length: 40 }, (_, index) => `${index + 100}`).join(" ");
  expect(parseStat(`7 (a) R 9 (b) S ${rest}`)).toEqual({
    state: "S",
    parent: 100,
    session: 102,
    isKernelThread: false,
    startTicks: 118,
  });
});

test("a process is the same only with its start and its boot", () => {
  const one = { pid: 1, startTicks: 2, bootId: "a" };
  expect(isSameProcess(one, { ...one })).toBe(true);
  for (const other of [{ ...one, pid: 2 }, { ...one, startTicks: 3 }, { ...one, bootId: "b" }, undefined]) {
    expect(isSameProcess(one, other)).toBe(false);
  }
});

test("a run is described by what is known of it", () => {
  const ran = { ...NEVER_RAN, startedAt: "2026-01-01T00:00:00.000Z" };
  const idle = { running: false, retryInMs: undefined };
  const exit = (code: number | null) => ({ ...ran, exit: { code, at: "2026-01-01T00:00:01.000Z" } });
  expect(describeRun(NEVER_RAN, "always", idle)).toEqual({ state: "created", restarts: 0 });
  expect(describeRun(ran, "always", { ...idle, running: true })).toMatchObject({ state: "running" });
  expect(describeRun(exit(3), "no", idle)).toMatchObject({ state: "exited", exitCode: 3 });
  expect(describeRun(exit(3), "no", idle)).not.toHaveProperty("detail");
  const unseen = describeRun(exit(null), "no", idle);
  expect(unseen).not.toHaveProperty("exitCode");
  expect(unseen.detail).toContain("unknown");
  expect(describeRun(exit(3), "always", { ...idle, retryInMs: 1500 })).toMatchObject({
    state: "restarting",
    exitCode: 3,
    detail: "is started again in 2 s",
  });
});

test("one thing runs after the other, also after a failure", async () => {
  const serial = makeSerial();
  const order: number[] = [];
  const gate = Promise.withResolvers<void>();
  const first = serial(async () => {
    await gate.promise;
    order.push(1);
    throw new Error("first");
  }).catch((error: Error) => error.message);
  const second = serial(async () => order.push(2));
  gate.resolve();
  expect(await first).toBe("first");
  await second;
  expect(order).toEqual([1, 2]);
});
