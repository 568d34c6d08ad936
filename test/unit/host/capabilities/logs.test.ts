import { expect, test } from "bun:test";
import { LIMITS } from "../../../../src/base/limits.ts";
import { logsMethods, type LogReading } from "../../../../src/host/capabilities/logs.ts";
import type { Caller } from "../../../../src/host/capabilities/method.ts";
import type { LogLine } from "../../../../src/sdk/index.ts";
import { rejection } from "../../../fixtures/rejection.ts";
import { runMethod, someStreams } from "../../../fixtures/run-method.ts";

const line = (text: string): LogLine => ({
  at: "2026-01-31T08:00:00.000Z",
  level: "info",
  stream: "stdout",
  text,
  version: 1,
});

function world(lines: readonly LogLine[], scope: readonly string[] | null = null) {
  const asked: { service: string; query: LogReading }[] = [];
  const [query, follow] = logsMethods({
    isService: (name) => name === "web",
    async *read(service, reading) {
      asked.push({ service, query: reading });
      yield* lines;
    },
  });
  const caller: Caller = {
    plugin: "p",
    grants: new Map([["logs_read", scope]]),
    requested: new Set(["logs_read"]),
    optional: new Set(),
    withheld: new Set(),
  };
  return { asked, caller, query: query!, follow: follow! };
}

test("a query asks for the newest lines, 100 if nothing is said", async () => {
  const { asked, caller, query } = world([line("a"), line("b")]);
  expect(await runMethod(query, caller, { service: "web", since: "10m", level: "warn" })).toEqual([
    line("a"),
    line("b"),
  ]);
  expect(asked).toMatchObject([
    { service: "web", query: { since: "10m", level: "warn", lines: 100, follow: false } },
  ]);
});

test("an answer has no more than a message can hold, and the newest are in it", async () => {
  const many = Array.from({ length: 20 }, (_, index) => line(`${index}${"\u0001".repeat(200_000)}`));
  const { caller, query } = world(many);
  const answer = (await runMethod(query, caller, { service: "web", limit: 20 })) as LogLine[];
  expect(JSON.stringify(answer).length).toBeLessThan(LIMITS.messageBytes);
  expect(answer.at(-1)).toEqual(many.at(-1));
  expect(answer.length).toBeGreaterThan(3);
});

test("a follower begins now, or at the time that it names", async () => {
  const { asked, caller, follow } = world([line("a")]);
  const streams = someStreams();
  const { stream } = (await runMethod(follow, caller, { service: "web" }, streams)) as { stream: string };
  expect(await streams.next(stream, new AbortController().signal)).toMatchObject({ items: [line("a")] });
  await runMethod(follow, caller, { service: "web", since: "1h" }, streams);
  expect(asked[0]?.query).toMatchObject({ lines: 0, follow: true });
  expect(asked[1]?.query).toMatchObject({ since: "1h", follow: true });
  expect(asked[1]?.query).not.toHaveProperty("lines");
});

test("another service than those of the scope is refused, before anything is read; its own is not", async () => {
  const { asked, caller, query, follow } = world([line("a")], ["api"]);
  for (const method of [query, follow])
    expect(await rejection(runMethod(method, caller, { service: "web" }))).toMatchObject({
      code: "capability.out_of_scope",
      hint: expect.stringContaining("logs_read=api,web"),
    });
  expect(asked).toEqual([]);
  expect(await runMethod(query, caller, { service: "api" })).toEqual([line("a")]);
});

test("what is no time, level or number of lines is refused", async () => {
  const { asked, caller, query } = world([]);
  for (const wrong of [
    { since: "soon" },
    { level: "loud" },
    { limit: 0 },
    { limit: 5001 },
    { search: "x".repeat(1001) },
    { pattern: "x" },
  ])
    expect(await rejection(runMethod(query, caller, { service: "web", ...wrong }))).toEqual(
      new Error("invalid"),
    );
  expect(asked).toEqual([]);
});

test("a plugin has two queries at a time; the others wait, and whoever gives up waits no more", async () => {
  const gate = Promise.withResolvers<void>();
  let running = 0;
  let most = 0;
  const [query] = logsMethods({
    isService: () => true,
    async *read() {
      most = Math.max(most, ++running);
      await gate.promise;
      running--;
      yield line("a");
    },
  });
  const { caller } = world([]);
  const giveUp = new AbortController();
  const ask = (signal?: AbortSignal) =>
    query!.run(caller, { service: "web", limit: 1 } as never, signal ?? never, someStreams());
  const answers = Array.from({ length: 10 }, () => ask());
  const given = rejection(ask(giveUp.signal));
  giveUp.abort(new Error("given up"));
  expect(await given).toHaveProperty("message", "given up");
  expect(running).toBe(LIMITS.logQueriesAtOnce);
  gate.resolve();
  expect(await Promise.all(answers)).toEqual(answers.map(() => [line("a")]));
  expect(most).toBe(LIMITS.logQueriesAtOnce);
});

const never = new AbortController().signal;
