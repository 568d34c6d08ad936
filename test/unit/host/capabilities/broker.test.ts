import { describe, expect, test } from "bun:test";
import * as v from "valibot";
import { fail } from "../../../../src/base/errors.ts";
import { silentLog, type Log } from "../../../../src/base/log.ts";
import { makeBroker } from "../../../../src/host/capabilities/broker.ts";
import { method, streamMethod, type Caller, type Method } from "../../../../src/host/capabilities/method.ts";
import { streamMethods } from "../../../../src/host/capabilities/stream.ts";
import { DEFAULT_QUOTA, type QuotaRates } from "../../../../src/host/capabilities/quota.ts";
import type { Capability } from "../../../../src/sdk/index.ts";
import type { AuditRow } from "../../../../src/state/audit.ts";
import type { CountedCalls } from "../../../../src/state/audit-totals.ts";
import type { PluginLogLine } from "../../../../src/state/plugin-logs.ts";
import { fakeClock } from "../../../harness.ts";
import { rejection } from "../../../fixtures/rejection.ts";

function setUp(
  extra: readonly Method[] = [],
  options: { readonly log?: Log; readonly quota?: QuotaRates } = {},
) {
  const clock = fakeClock();
  const audit: AuditRow[] = [];
  const counted: CountedCalls[] = [];
  const lines: PluginLogLine[] = [];
  const ran: unknown[] = [];
  const grants = new Map<Capability, readonly string[] | null>();
  const requested = new Set<Capability>(["notify_send"]);
  const callers = new Map<string, Caller>([
    ["ding", { plugin: "ding", grants, requested, optional: new Set(), withheld: new Set() }],
  ]);
  const methods = [
    method({
      name: "notify.send",
      args: ["channel", "message"],
      anyOf: ["notify_send"],
      params: v.strictObject({ channel: v.string(), message: v.string() }),
      target: ({ channel }) => channel,
      scope: ({ channel }) => channel,
      run: async (_caller, params) => {
        ran.push(params);
        return { sent: true };
      },
    }),
    method({
      name: "kv.get",
      args: ["key"],
      anyOf: [],
      params: v.strictObject({ key: v.pipe(v.string(), v.maxLength(3)) }),
      run: async (_caller, { key }) => key,
    }),
    ...extra,
  ];
  const broker = makeBroker({
    methods,
    callerOf: (plugin) => callers.get(plugin),
    audit: {
      append(row, uncounted = []) {
        audit.push(row);
        counted.push(...uncounted);
      },
    },
    pluginLogs: { append: (_plugin, line) => lines.push(line) },
    quota: () => options.quota ?? DEFAULT_QUOTA,
    clock,
    log: options.log ?? silentLog,
  });
  return {
    clock,
    audit,
    counted,
    lines,
    ran,
    grants,
    requested,
    callers,
    door: broker.doorFor("ding"),
    broker,
  };
}

function simple(name: string, run: Method["run"], anyOf: readonly Capability[] = []): Method {
  return { name, args: [], surface: "method", anyOf, params: v.object({}), run };
}

const send = { channel: "ops", message: "token=hunter2" };

describe("a call that is granted", () => {
  test("runs, answers and is audited with its target, never with its content", async () => {
    const { door, grants, audit, ran } = setUp();
    grants.set("notify_send", null);
    expect(await door.invoke("notify.send", send)).toEqual({ sent: true });
    expect(ran).toEqual([send]);
    expect(audit).toEqual([
      {
        at: "2026-01-01T00:00:00.000Z",
        plugin: "ding",
        method: "notify.send",
        capability: "notify_send",
        target: "ops",
        outcome: "ok",
      },
    ]);
    expect(JSON.stringify(audit)).not.toContain("hunter2");
  });

  test("every plugin has what needs no capability, and it is not audited", async () => {
    const { door, audit } = setUp();
    expect(await door.invoke("kv.get", { key: "a" })).toBe("a");
    expect(audit).toEqual([]);
  });

  test("the door lists every method with its arguments, and links what is granted or may be left out", () => {
    const { door, grants, callers } = setUp();
    const send = {
      name: "notify.send",
      args: ["channel", "message"],
      surface: "method" as const,
      needs: ["notify_send"] as Capability[],
    };
    const shape = { name: "kv.get", args: ["key"], surface: "method" as const };
    const get = { ...shape, needs: [] as Capability[], asked: [], linked: true };
    expect(door.methods).toEqual([{ ...send, asked: ["notify_send"], linked: false }, get]);
    callers.set("ding", { ...callers.get("ding")!, optional: new Set(["notify_send"]) });
    expect(door.methods).toEqual([{ ...send, asked: ["notify_send"], linked: true }, get]);
    callers.set("ding", { ...callers.get("ding")!, optional: new Set() });
    grants.set("notify_send", []);
    expect(door.methods).toEqual([{ ...send, asked: ["notify_send"], linked: true }, get]);
  });

  test("the door says of each method which of its capabilities the manifest asks for", () => {
    const { door, callers } = setUp();
    const asked = () => door.methods.map((method) => method.asked);
    callers.set("ding", { ...callers.get("ding")!, requested: new Set(["notify_send", "fs_read"]) });
    expect(asked()).toEqual([["notify_send"], []]);
    callers.set("ding", { ...callers.get("ding")!, requested: new Set() });
    expect(asked()).toEqual([[], []]);
    callers.delete("ding");
    expect(asked()).toEqual([[], []]);
  });
});

describe("a call that is not granted", () => {
  test("does not run, names the exact command, and is audited", async () => {
    const { door, ran, audit } = setUp();
    const call = door.invoke("notify.send", send);
    expect(await rejection(call)).toMatchObject({
      code: "capability.denied",
      message: "plugin ding called notify.send, which needs notify_send; that is not granted",
      hint: "to allow only that: voxeltron plugin grant ding notify_send=ops",
      details: { capability: "notify_send", method: "notify.send", plugin: "ding" },
    });
    await call.catch(() => {});
    expect(ran).toEqual([]);
    expect(audit).toMatchObject([
      { method: "notify.send", capability: "notify_send", target: "ops", outcome: "capability.denied" },
    ]);
  });

  test("says which line the manifest lacks where it never asked", async () => {
    const { door, requested } = setUp();
    requested.clear();
    expect(await rejection(door.invoke("notify.send", send))).toMatchObject({
      hint: `its plugin.toml does not ask for it: add "notify_send" to required (or optional) under [capabilities], then install it again`,
    });
  });

  test("is denied before its parameters are judged", async () => {
    const { door } = setUp();
    expect(await rejection(door.invoke("notify.send", { junk: 1 }))).toMatchObject({
      code: "capability.denied",
    });
  });

  test("a revoke counts at once, also inside a call that is under way", async () => {
    const gate = Promise.withResolvers<void>();
    const seen: boolean[] = [];
    const slow = simple(
      "slow.call",
      async (caller) => {
        seen.push(caller.grants.has("notify_send"));
        await gate.promise;
        seen.push(caller.grants.has("notify_send"));
      },
      ["notify_send"],
    );
    const { door, grants } = setUp([slow]);
    grants.set("notify_send", null);
    const call = door.invoke("slow.call", {});
    grants.delete("notify_send");
    gate.resolve();
    await call;
    expect(seen).toEqual([true, false]);
    expect(await rejection(door.invoke("slow.call", {}))).toMatchObject({ code: "capability.denied" });
  });

  test("a revoke that is told ends a call that is under way, and gives nothing of its answer", async () => {
    let told: AbortSignal | undefined;
    const gate = Promise.withResolvers<void>();
    const slow = simple(
      "slow.call",
      async (_caller, _params, signal) => {
        told = signal;
        await gate.promise;
        return "secret";
      },
      ["notify_send"],
    );
    const { door, grants, broker, audit } = setUp([slow]);
    grants.set("notify_send", null);
    const call = rejection(door.invoke("slow.call", {}));
    broker.rightsChanged("another");
    expect(told?.aborted).toBe(false);
    grants.delete("notify_send");
    broker.rightsChanged("ding");
    expect(told?.aborted).toBe(true);
    gate.resolve();
    expect(await call).toMatchObject({ code: "capability.denied" });
    expect(audit.at(-1)).toMatchObject({ method: "slow.call", outcome: "capability.denied" });
  });

  test("a stream ends with its grant, and with the target that a narrower one leaves out", async () => {
    const follow = streamMethod({
      name: "x.follow",
      args: "object",
      anyOf: ["notify_send"],
      params: v.strictObject({ service: v.string() }),
      check(caller, { service }) {
        if (caller.grants.get("notify_send")?.includes(service) === false)
          throw fail("capability.out_of_scope", "not this one");
      },
      async *open(_caller, { service }, signal) {
        yield service;
        await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
      },
    });
    const { door, grants, broker } = setUp([follow, ...streamMethods()]);
    grants.set("notify_send", null);
    const first = await door.invoke("x.follow", { service: "web" });
    const second = await door.invoke("x.follow", { service: "other" });
    expect(await door.invoke("stream.next", first)).toEqual({ items: ["web"], done: false });
    const waiting = rejection(door.invoke("stream.next", first));
    grants.set("notify_send", ["other"]);
    broker.rightsChanged();
    expect(await waiting).toMatchObject({ code: "capability.out_of_scope" });
    grants.clear();
    expect(await rejection(door.invoke("stream.next", second))).toMatchObject({ code: "capability.denied" });
  });

  test("a stream of one plugin is nothing to another", async () => {
    const follow = streamMethod({
      name: "x.follow",
      args: "object",
      anyOf: [],
      params: v.strictObject({}),
      async *open() {
        yield "mine";
      },
    });
    const { door, broker, callers } = setUp([follow, ...streamMethods()]);
    callers.set("dong", { ...callers.get("ding")!, plugin: "dong" });
    const handle = await door.invoke("x.follow", {});
    expect(await rejection(broker.doorFor("dong").invoke("stream.next", handle))).toMatchObject({
      code: "stream.not_found",
    });
    expect(await door.invoke("stream.next", handle)).toMatchObject({ items: ["mine"] });
  });

  test("a plugin that is gone gets nothing", async () => {
    const { door, callers } = setUp();
    callers.clear();
    expect(await rejection(door.invoke("kv.get", { key: "a" }))).toMatchObject({ code: "plugin.not_found" });
  });

  test("a flood of refusals is counted, not kept, while what is done is kept", async () => {
    const { door, audit, counted, clock, grants } = setUp();
    for (let i = 0; i < 350; i++) await door.invoke("notify.send", send).catch(() => {});
    expect(audit.length).toBe(100);
    grants.set("notify_send", null);
    await door.invoke("notify.send", send);
    expect(audit.at(-1)).toMatchObject({ outcome: "ok" });
    await clock.advance(1000);
    expect(audit.at(-1)).toMatchObject({
      method: "*",
      target: "250 more calls",
      outcome: "refused",
      times: 250,
    });
    expect(counted).toMatchObject([
      { method: "notify.send", capability: "notify_send", outcome: "capability.denied", calls: 250 },
    ]);
  });
});

describe("a call that makes no sense", () => {
  test("an unknown method is refused with the one that was meant", async () => {
    const { door } = setUp();
    expect(await rejection(door.invoke("notify.sent", {}))).toMatchObject({
      code: "capability.unknown_method",
      hint: "did you mean notify.send?",
    });
    for (const name of ["__proto__", "constructor", "toString", ""])
      expect(await rejection(door.invoke(name, {}))).toMatchObject({ code: "capability.unknown_method" });
  });

  test.each([
    [{ channel: 1, message: "x" }, "notify.send: channel: wanted a text"],
    [{ channel: "a" }, "notify.send: message is missing"],
    [{ ...send, extra: 1 }, "notify.send: extra is nothing that it knows"],
    [[], "notify.send: channel is missing"],
    ["text", "notify.send: the parameters: wanted an object"],
    [null, "notify.send: channel is missing"],
  ])("parameters %j are refused without repeating a value", async (params, message) => {
    const { door, grants, ran } = setUp();
    grants.set("notify_send", null);
    const call = door.invoke("notify.send", params);
    expect(await rejection(call)).toMatchObject({
      code: "capability.invalid_params",
      message: expect.stringContaining(message),
    });
    await call.catch(() => {});
    expect(ran).toEqual([]);
  });

  test("a value that is refused is not in the message", async () => {
    const { door } = setUp();
    expect(await rejection(door.invoke("kv.get", { key: "hunter2" }))).toMatchObject({
      message: "kv.get: key: wanted at most 3 characters",
    });
  });

  test("an answer that fits into no message is refused", async () => {
    const { door } = setUp([simple("big.answer", async () => "x".repeat(8 * 1024 * 1024))]);
    expect(await rejection(door.invoke("big.answer", {}))).toMatchObject({ code: "capability.limit" });
  });

  test("two methods of one name are a mistake of ours", () => {
    expect(() => setUp([simple("kv.get", async () => 1)])).toThrow("one name");
  });
});

describe("a call that goes wrong", () => {
  test("an expected failure crosses as it is", async () => {
    const { door } = setUp([
      simple("x.y", async () => {
        throw fail("disk.full", "no room");
      }),
    ]);
    expect(await rejection(door.invoke("x.y", {}))).toMatchObject({ code: "disk.full", message: "no room" });
  });

  test("a bug tells the guest nothing and the daemon's log everything", async () => {
    const logged: unknown[] = [];
    const log = { ...silentLog, error: (_text: string, fields?: unknown) => logged.push(fields) };
    const broken = simple("x.y", async () => {
      throw new TypeError("/var/lib/voxeltron/state.db is odd");
    });
    const { door } = setUp([broken], { log });
    const call = door.invoke("x.y", {});
    expect(await rejection(call)).toMatchObject({
      code: "internal.bug",
      message: "something went wrong inside voxeltron",
    });
    await call.catch(() => {});
    expect(JSON.stringify(logged)).toContain("state.db is odd");
  });

  test("a call whose guest went away is cancelled", async () => {
    const stop = new AbortController();
    const waits = simple("x.y", (_caller, _params, signal) => {
      return new Promise((_, reject) =>
        signal.addEventListener("abort", () => reject(signal.reason as Error)),
      );
    });
    const { door } = setUp([waits]);
    const call = door.invoke("x.y", {}, stop.signal);
    stop.abort();
    expect(await rejection(call)).toMatchObject({ code: "operation.interrupted" });
  });

  test("more calls at a time than the bound are refused, across all doors of the plugin", async () => {
    const gate = Promise.withResolvers<void>();
    const { door, broker } = setUp([simple("x.wait", () => gate.promise)]);
    const calls = Array.from({ length: 100 }, () => door.invoke("x.wait", {}));
    expect(await rejection(broker.doorFor("ding").invoke("x.wait", {}))).toMatchObject({
      code: "capability.limit",
    });
    gate.resolve();
    await Promise.all(calls);
    expect(await door.invoke("kv.get", { key: "a" })).toBe("a");
  });
});

describe("log lines of a plugin", () => {
  test("are stamped, cleaned and cut", () => {
    const { door, lines } = setUp();
    door.log("warn", `a\u001b[31mb\nc\u202e${"x".repeat(20_000)}`, { n: 1, "k\u001b": ["a\u001b\u0085b"] });
    expect(lines[0]).toMatchObject({
      at: "2026-01-01T00:00:00.000Z",
      level: "warn",
      fields: { n: 1, k: ["ab"] },
    });
    expect(lines[0]?.text.startsWith("a[31mb cx")).toBe(true);
    expect(lines[0]?.text.length).toBe(8192);
  });

  test("fields that are too long leave a note", () => {
    const { door, lines } = setUp();
    door.log("info", "x", { big: "y".repeat(9000) });
    expect(lines[0]?.fields).toEqual({ omitted: "fields of 9010 characters" });
  });

  test("a flood is dropped, counted and told", async () => {
    const { door, lines, clock } = setUp();
    for (let i = 0; i < 700; i++) door.log("info", `line ${i}`);
    expect(lines.length).toBe(500);
    await clock.advance(1000);
    expect(lines.at(-1)).toMatchObject({
      level: "warn",
      text: "200 lines were dropped: more than 100 a second",
    });
    door.log("info", "later");
    expect(lines.at(-1)?.text).toBe("later");
  });

  test("an unknown level is taken as info", () => {
    const { door, lines } = setUp();
    door.log("fatal" as "info", "x");
    expect(lines[0]?.level).toBe("info");
  });
});

describe("what a hostile plugin may send", () => {
  test.each([
    ["a method name of megabytes", "x".repeat(8_000_000), {}, "capability.unknown_method"],
    [
      "a channel of megabytes",
      "notify.send",
      { channel: "x".repeat(8_000_000), message: "x" },
      "capability.denied",
    ],
  ])("%s is answered at once", async (_what, name, params, code) => {
    const { door } = setUp();
    const before = performance.now();
    expect(await rejection(door.invoke(name, params))).toMatchObject({ code });
    expect(performance.now() - before).toBeLessThan(100);
  });
});

describe("when records can't be written", () => {
  function broken(): ReturnType<typeof makeBroker> {
    const full = (): never => {
      throw new Error("disk");
    };
    return makeBroker({
      methods: [simple("x.y", async () => "secret", ["notify_send"])],
      callerOf: (plugin) => ({
        plugin,
        grants: new Map([["notify_send", null]]),
        requested: new Set(),
        optional: new Set(),
        withheld: new Set(),
      }),
      audit: { append: full },
      pluginLogs: { append: full },
      quota: () => DEFAULT_QUOTA,
      clock: fakeClock(),
      log: silentLog,
    });
  }

  test("a plugin whose questions take long to be answered is refused, and no other", async () => {
    let now = 0;
    const clock = { ...fakeClock(), monotonic: () => now };
    const broker = makeBroker({
      methods: [
        simple("long.one", async () => {
          now += 100;
          return "short";
        }),
      ],
      callerOf: (plugin) => ({
        plugin,
        grants: new Map(),
        requested: new Set(),
        optional: new Set(),
        withheld: new Set(),
      }),
      audit: { append() {} },
      pluginLogs: { append: () => 0 },
      quota: () => DEFAULT_QUOTA,
      clock,
      log: silentLog,
    });
    const door = broker.doorFor("ding");
    // A quarter of its time comes back meanwhile.
    for (let i = 0; i < 16; i++) expect(await door.invoke("long.one", {})).toBe("short");
    for (let i = 0; i < 3; i++) await door.invoke("long.one", {}).catch(() => {});
    expect(await rejection(door.invoke("long.one", {}))).toMatchObject({
      code: "capability.limit",
      message: expect.stringContaining("keep the daemon from its work"),
    });
    expect(await broker.doorFor("other").invoke("long.one", {})).toBe("short");
    now += 2_000;
    expect(await door.invoke("long.one", {})).toBe("short");
  });

  test("an answer that can't be audited is withheld", async () => {
    expect(await rejection(broken().doorFor("ding").invoke("x.y", {}))).toMatchObject({
      code: "internal.bug",
    });
  });

  test("a log line is lost without harm", () => {
    expect(() => broken().doorFor("ding").log("info", "x")).not.toThrow();
  });
});

test("a capability that the operator's ceiling leaves out is not advised to be granted", async () => {
  const { door, callers, requested } = setUp();
  const withheld = new Set<Capability>(["notify_send"]);
  callers.set("ding", { plugin: "ding", grants: new Map(), requested, optional: new Set(), withheld });
  expect(await rejection(door.invoke("notify.send", send))).toMatchObject({
    hint:
      `the daemon's configuration keeps it away: add "notify_send=ops" to [plugins] ceiling; ` +
      "then to allow only that: voxeltron plugin grant ding notify_send=ops",
  });
});

test("between two calls of a burst the event loop goes round, be they refused", async () => {
  const { door } = setUp();
  let rounds = 0;
  let isOver = false;
  const count = (): void => {
    rounds++;
    if (!isOver) setImmediate(count);
  };
  setImmediate(count);
  await Promise.allSettled(Array.from({ length: 50 }, () => door.invoke("notify.send", send)));
  isOver = true;
  expect(rounds).toBeGreaterThanOrEqual(40);
});

test("a call that is cancelled before its turn is not made", async () => {
  const { door, ran, grants, audit } = setUp();
  grants.set("notify_send", null);
  const cancel = new AbortController();
  const calls = [door.invoke("notify.send", send), door.invoke("notify.send", send, cancel.signal)];
  cancel.abort();
  expect(await rejection(calls[1]!)).toMatchObject({ code: "operation.interrupted" });
  await calls[0];
  expect(ran).toHaveLength(1);
  expect(audit).toHaveLength(1);
});
