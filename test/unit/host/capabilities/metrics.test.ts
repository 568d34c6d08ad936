import { describe, expect, test } from "bun:test";
import type { Caller } from "../../../../src/host/capabilities/method.ts";
import { metricsMethods, type MetricsQuestion } from "../../../../src/host/capabilities/metrics.ts";
import { rejection } from "../../../fixtures/rejection.ts";
import { runMethod } from "../../../fixtures/run-method.ts";

function setUp(scope: readonly string[] | null) {
  const asked: MetricsQuestion[] = [];
  const [method] = metricsMethods((question) => {
    asked.push(question);
    return { points: [] };
  });
  if (method === undefined) throw new Error("no method");
  const caller: Caller = {
    plugin: "watch",
    grants: new Map([["metrics_read", scope]]),
    requested: new Set(["metrics_read"]),
    optional: new Set(),
    withheld: new Set(),
  };
  return { asked, query: (params: unknown) => runMethod(method, caller, params) };
}

describe("metrics.query", () => {
  test("passes the question on, and the answer back", async () => {
    const { query, asked } = setUp(null);
    const question = { service: "web", metric: "cpu_percent", from: "1h", step: "1m", aggregate: "max" };
    expect(await query(question)).toEqual({ points: [] });
    expect(asked).toEqual([question] as MetricsQuestion[]);
  });

  test("is about the host only with the whole capability", async () => {
    expect(await setUp(null).query({ metric: "load1" })).toEqual({ points: [] });
    const { query, asked } = setUp(["web"]);
    expect(await rejection(query({ metric: "load1" }))).toMatchObject({
      code: "capability.out_of_scope",
      message: expect.stringContaining("the host is none of what it may see (web)"),
      hint: "to allow it: voxeltron plugin grant watch metrics_read",
    });
    expect(asked).toEqual([]);
  });

  test("of another service is refused before anybody looks whether there is one", async () => {
    const { query, asked } = setUp(["web"]);
    expect(await query({ service: "web", metric: "restarts" })).toEqual({ points: [] });
    expect(await rejection(query({ service: "db", metric: "restarts" }))).toMatchObject({
      code: "capability.out_of_scope",
      hint: "to allow only that: voxeltron plugin grant watch metrics_read=web,db",
    });
    expect(await rejection(query({ service: "$(reboot)", metric: "restarts" }))).toMatchObject({
      code: "capability.out_of_scope",
      hint: "to allow it: voxeltron plugin grant watch metrics_read",
    });
    expect(asked).toHaveLength(1);
  });

  test("an empty scope covers nothing", async () => {
    const { query, asked } = setUp([]);
    for (const question of [{ metric: "load1" }, { service: "web", metric: "restarts" }])
      expect(await rejection(query(question))).toMatchObject({ code: "capability.out_of_scope" });
    expect(asked).toEqual([]);
  });

  test.each([
    {},
    { metric: 7 },
    { metric: "x".repeat(1_000) },
    { metric: "load1", from: 5 },
    { metric: "load1", aggregate: "sum" },
    { metric: "load1", series: 1 },
    { service: null, metric: "load1" },
  ])("takes no other parameters: %p", async (params) => {
    const { query, asked } = setUp(null);
    expect(await rejection(query(params))).toMatchObject({ message: "invalid" });
    expect(asked).toEqual([]);
  });
});
