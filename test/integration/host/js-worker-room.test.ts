/** The Worker room as a whole: a plugin's code runs, asks for things, and is stopped when it must be. */
import { describe, expect, test } from "bun:test";
import { fail } from "../../../src/base/errors.ts";
import { LIMITS } from "../../../src/base/limits.ts";
import { until } from "../../harness.ts";
import { hookCode, openRoom, recordedDoor } from "../../js-room.ts";
import { longestGap, outcome } from "../../outcome.ts";

const DEADLINE = { deadlineMs: 5000 };

describe("a plugin that behaves", () => {
  test("gets its event, its context and its config, and its answer comes back", async () => {
    const code = hookCode(
      "return { n: event.n + 1, plugin: ctx.plugin, config: ctx.config, frozen: Object.isFrozen(ctx.config) }",
    );
    await using opened = await openRoom(code, recordedDoor(), { config: { channel: "ops", list: ["a"] } });
    expect(opened.room.handlers).toEqual(["on_deploy_success"]);
    expect(await opened.room.call("on_deploy_success", { n: 1 }, DEADLINE)).toEqual({
      n: 2,
      plugin: { name: "sample", version: "1.0.0" },
      config: { channel: "ops", list: ["a"] },
      frozen: true,
    });
  });

  test("keeps its module's state from hook to hook", async () => {
    await using opened = await openRoom("let n = 0; export default { on_alert() { return ++n } };");
    expect(await opened.room.call("on_alert", {}, DEADLINE)).toBe(1);
    expect(await opened.room.call("on_alert", {}, DEADLINE)).toBe(2);
  });

  test("may be a class instance, use top-level await, and be called as a method", async () => {
    const code = `const start = await Promise.resolve(40); class P { n = start; on_alert() { return this.n + 2 } } export default new P();`;
    await using opened = await openRoom(code);
    expect(opened.room.handlers).toEqual(["on_alert"]);
    expect(await opened.room.call("on_alert", {}, DEADLINE)).toBe(42);
  });

  test("calls methods with named parameters and gets values and bytes", async () => {
    const door = recordedDoor((method) =>
      method === "kv.get" ? { held: { $b64: "AAH/" }, text: "ü" } : undefined,
    );
    const body = `await ctx.kv.set("k", { bytes: new Uint8Array([1, 2, 3]) }); const v = await ctx.kv.get("k"); return [v.text, v.held instanceof Uint8Array, ...v.held]`;
    await using opened = await openRoom(hookCode(body), door);
    expect(await opened.room.call("on_deploy_success", {}, DEADLINE)).toEqual(["ü", true, 0, 1, 255]);
    expect(door.calls).toEqual([
      { method: "kv.set", params: { key: "k", value: { bytes: { $b64: "AQID" } } } },
      { method: "kv.get", params: { key: "k" } },
    ]);
  });

  test("fetches through the door, with headers and a body", async () => {
    const door = recordedDoor(() => ({
      url: "https://x.example/final",
      status: 201,
      statusText: "Created",
      headers: [
        ["x-a", "1"],
        ["x-a", "2"],
      ],
      body: { $b64: btoa("pong") },
      redirected: true,
    }));
    const body = `const r = await fetch("https://x.example/a", { method: "POST", headers: { X: "y" }, body: new URLSearchParams({ q: "ü" }) });
      return [r.status, r.ok, r.statusText, r.redirected, r.url, r.headers.get("x-a"), await r.text()]`;
    await using opened = await openRoom(hookCode(body), door);
    expect(await opened.room.call("on_deploy_success", {}, DEADLINE)).toEqual([
      201,
      true,
      "Created",
      true,
      "https://x.example/final",
      "1, 2",
      "pong",
    ]);
    expect(door.calls[0]).toEqual({
      method: "net.fetch",
      params: {
        url: "https://x.example/a",
        method: "POST",
        headers: [
          ["content-type", "application/x-www-form-urlencoded;charset=UTF-8"],
          ["x", "y"],
        ],
        body: { $b64: btoa("q=%C3%BC") },
        redirect: "follow",
        stream: true,
      },
    });
  });

  test("aborts a fetch, and the door is told", async () => {
    let aborted = false;
    const door = recordedDoor((_method, _params, signal) => {
      signal?.addEventListener("abort", () => (aborted = true));
      return new Promise(() => {});
    });
    const body = `try { await fetch("https://x.example", { signal: AbortSignal.timeout(5) }) } catch (error) { return error.name }`;
    await using opened = await openRoom(hookCode(body), door);
    expect(await opened.room.call("on_deploy_success", {}, DEADLINE)).toBe("TimeoutError");
    await until(() => aborted, { what: "the door's signal" });
  });

  test("gets a denial as an error with code, hint and capability", async () => {
    const door = recordedDoor(() => {
      throw fail("capability.denied", "not granted", {
        hint: "voxeltron plugin grant …",
        details: { capability: "notify_send" },
      });
    });
    const body = `try { await ctx.notify.send("ops", "hi") } catch (e) { return [e instanceof Error, e.code, e.message, e.hint, e.capability] }`;
    await using opened = await openRoom(hookCode(body), door);
    expect(await opened.room.call("on_deploy_success", {}, DEADLINE)).toEqual([
      true,
      "capability.denied",
      "not granted",
      "voxeltron plugin grant …",
      "notify_send",
    ]);
  });

  test("hears nothing of a bug in the daemon but that there was one", async () => {
    const door = recordedDoor(() => {
      throw new Error("secret path /etc/voxeltron");
    });
    const body = `try { await ctx.kv.get("a") } catch (e) { return e.code + " " + e.message + " " + e.stack.includes("secret") }`;
    await using opened = await openRoom(hookCode(body), door);
    expect(await opened.room.call("on_deploy_success", {}, DEADLINE)).toBe(
      "internal.bug something went wrong inside voxeltron false",
    );
  });

  test("writes its log, by ctx.log and by console", async () => {
    const door = recordedDoor();
    const body = `ctx.log.warn("w", { a: 1 }); console.error("e %d", 5, { x: [1] }); ctx.log.info("y".repeat(20000)); const c = {}; c.c = c; ctx.log.info("c", c)`;
    await using opened = await openRoom(hookCode(body), door);
    await opened.room.call("on_deploy_success", {}, DEADLINE);
    expect(door.lines[0]).toEqual({ level: "warn", text: "w", fields: { a: 1 } });
    expect(door.lines[1]).toMatchObject({ level: "error", text: "e 5 { x: [ 1 ] }" });
    expect(door.lines[2]?.text.length).toBe(LIMITS.logTextChars);
    expect(door.lines[3]).toMatchObject({ text: "c", fields: { dropped: "the fields are not JSON" } });
  });

  test("has timers that go on after its hook, and a throw in one reaches its log", async () => {
    const door = recordedDoor();
    await using opened = await openRoom(
      hookCode(`setTimeout(() => { throw new TypeError("late") }, 1)`),
      door,
    );
    await opened.room.call("on_deploy_success", {}, DEADLINE);
    const line = await until(() => door.lines[0], { what: "the line of the timer" });
    expect(line.text).toStartWith("uncaught in a timer: TypeError: late (at ");
    expect(opened.room.alive).toBeTrue();
  });
});

describe("a plugin that fails", () => {
  test("is plugin.failed with its own words; its code is a detail and never ours", async () => {
    const code = hookCode(
      `throw Object.assign(new RangeError("no deploys on Friday"), { code: "capability.denied" })`,
    );
    await using opened = await openRoom(code);
    const failed = await outcome(opened.room.call("on_deploy_success", {}, DEADLINE));
    expect(failed).toMatchObject({ code: "plugin.failed", message: "RangeError: no deploys on Friday" });
    expect(failed.details).toMatchObject({ pluginCode: "capability.denied", hook: "on_deploy_success" });
    expect(opened.room.alive).toBeTrue();
  });

  test.each([
    ["throw 'a string'", "a string"],
    ["throw null", "null"],
    ["throw undefined", "undefined"],
    ["throw { reason: 7 }", '{"reason":7}'],
    ["throw Symbol('s')", "Symbol(s)"],
    ["throw new Error('\\u001b[31mred\\nline')", "[31mred line"],
    ["return 5n", "TypeError"],
    ["const a = {}; a.a = a; return a", "TypeError: circular"],
    ["(function f() { f() })()", "InternalError: stack overflow"],
  ])("whatever it throws: %s", async (body, words) => {
    await using opened = await openRoom(hookCode(body));
    const failed = await outcome(opened.room.call("on_deploy_success", {}, DEADLINE));
    expect(failed.code).toBe("plugin.failed");
    expect(failed.message).toStartWith(words);
  });

  test("has the author's file and line in its stack, by the source map", async () => {
    const sourceMap = JSON.stringify({ version: 3, sources: ["src/hello.ts"], mappings: ";AAEIA" });
    const code = `\nexport default { on_alert() { throw new Error("x") } };`;
    await using opened = await openRoom(code, recordedDoor(), { sourceMap });
    const failed = await outcome(opened.room.call("on_alert", {}, DEADLINE));
    expect(failed.details["stack"]).toEqual(["on_alert (src/hello.ts:3:5)"]);
  });

  test("without the function is plugin.no_hook and says what is missing", async () => {
    await using opened = await openRoom("export default { on_alert() {}, on_backup_complete: 5 };");
    expect(opened.room.handlers).toEqual(["on_alert"]);
    const failed = await outcome(opened.room.call("on_backup_complete", {}, DEADLINE));
    expect(failed).toMatchObject({ code: "plugin.no_hook" });
    expect(failed.message).toContain("no function on_backup_complete");
  });

  test.each([
    ["throw new Error('at load')", "at load"],
    ["export const a = 1;", "no default export"],
    ["export default 5;", "no default export"],
    ["this is no JavaScript", "SyntaxError"],
    ["import 'node:fs'; export default {};", "node:fs"],
    ["const a = []; for (;;) a.push(new Uint8Array(1e6));", "64 MiB"],
    ["export default (function f() { return f() })();", "stack overflow"],
  ])("at load is plugin.load_failed: %s", async (code, words) => {
    const failed = await outcome(openRoom(code));
    expect(failed.code).toBe("plugin.load_failed");
    expect(failed.message).toContain(words);
  });

  test.each([["for (;;);"], ["await new Promise(() => {}); export default {};"]])(
    "that never ends loading is plugin.load_failed too: %s",
    async (code) => {
      const failed = await outcome(openRoom(code, recordedDoor(), { entryMs: 200 }));
      expect(failed).toMatchObject({ code: "plugin.load_failed", details: { reason: "plugin.timeout" } });
    },
  );
});

describe("a plugin that must be stopped", () => {
  const attacks: readonly (readonly [what: string, body: string, code: string])[] = [
    ["an endless loop", "for (;;);", "plugin.timeout"],
    [
      "an endless loop behind a catch",
      "for (;;) { try { for (;;); } catch {} finally { continue } }",
      "plugin.timeout",
    ],
    ["an endless loop after an await", "await 0; for (;;);", "plugin.timeout"],
    [
      "an endless loop in a timer",
      "await new Promise(() => setTimeout(() => { for (;;); }, 1))",
      "plugin.timeout",
    ],
    ["a catastrophic regex", "/^(a+)+$/.test('a'.repeat(40) + 'b')", "plugin.timeout"],
    ["an endless native", "const a = []; a.length = 4294967295; a.indexOf(1)", "plugin.timeout"],
    ["an endless string search", "'a'.repeat(8e6).indexOf('a'.repeat(4e6) + 'b')", "plugin.timeout"],
    ["huge BigInts", "for (;;) (3n ** 60000n).toString()", "plugin.timeout"],
    ["an endless sort", "[1, 2, 3].sort(() => { for (;;); })", "plugin.timeout"],
    [
      "a flood of microtasks",
      "const f = () => Promise.resolve().then(f); f(); await new Promise(() => {})",
      "plugin.timeout",
    ],
    ["an endless toJSON", "return { toJSON() { for (;;); } }", "plugin.timeout"],
    ["an endless getter of an error", "throw { get message() { for (;;); } }", "plugin.timeout"],
    ["a promise that never settles", "await new Promise(() => {})", "plugin.timeout"],
    ["a thenable that never settles", "return { then() {} }", "plugin.timeout"],
    [
      "exponential recursion",
      "const f = (n) => n < 1 ? 1 : f(n - 1) + f(n - 1); return f(60)",
      "plugin.timeout",
    ],
    ["growing arrays", "const a = []; for (;;) a.push([1, 2, 3])", "plugin.out_of_memory"],
    ["growing buffers", "const a = []; for (;;) a.push(new Uint8Array(1e6))", "plugin.out_of_memory"],
    [
      "growing strings",
      "const a = []; for (let i = 0; ; i++) a.push('x'.repeat(1e6) + i)",
      "plugin.out_of_memory",
    ],
    [
      "one huge buffer behind a catch",
      "try { new ArrayBuffer(2e9) } catch {} return 1",
      "plugin.out_of_memory",
    ],
    ["a message of 100 MB", "return 'x'.repeat(1e8)", "plugin.out_of_memory"],
  ];
  test.each(attacks)("%s", async (_what, body, code) => {
    await using opened = await openRoom(hookCode(body));
    let failed: Awaited<ReturnType<typeof outcome>> | undefined;
    const deadlineMs = code === "plugin.timeout" ? 60 : 5000;
    const gap = await longestGap(async () => {
      failed = await outcome(opened.room.call("on_deploy_success", {}, { deadlineMs }));
    });
    expect(failed?.code).toBe(code);
    expect(opened.room.alive).toBeFalse();
    expect(gap).toBeLessThan(50);
  });

  test("the next event works, in a new room", async () => {
    const code = hookCode("if (event.loop) for (;;); return 'works'");
    await using opened = await openRoom(code);
    expect(
      (await outcome(opened.room.call("on_deploy_success", { loop: true }, { deadlineMs: 60 }))).code,
    ).toBe("plugin.timeout");
    await opened.room.stop();
    await using next = await openRoom(code);
    expect(await next.room.call("on_deploy_success", {}, DEADLINE)).toBe("works");
  });

  test("a call after the end is refused with the reason", async () => {
    await using opened = await openRoom(hookCode("for (;;);"));
    await outcome(opened.room.call("on_deploy_success", {}, { deadlineMs: 50 }));
    expect((await outcome(opened.room.call("on_deploy_success", {}, DEADLINE))).code).toBe("plugin.timeout");
  });

  test.each([
    ["in one go", "setTimeout(() => { for (;;); }, 1)"],
    ["in small pieces", "setInterval(() => { const end = Date.now() + 20; while (Date.now() < end); }, 1)"],
  ])(
    "work after its hook that eats the processor %s ends the room, and the log says so",
    async (_how, body) => {
      const door = recordedDoor();
      await using opened = await openRoom(hookCode(body), door, { entryMs: 100 });
      await opened.room.call("on_deploy_success", {}, DEADLINE);
      await until(() => !opened.room.alive, { what: "the end of the room" });
      expect(door.lines.at(-1)?.text).toContain("work after its hook ran longer than it may");
    },
  );

  test("what a hook spends does not count as work after it", async () => {
    const body = `const spin = (ms) => { const end = Date.now() + ms; while (Date.now() < end); };
      spin(150); setTimeout(() => { spin(20); ctx.log.info("after") }, 1)`;
    const door = recordedDoor();
    await using opened = await openRoom(hookCode(body), door, { entryMs: 100 });
    await opened.room.call("on_deploy_success", {}, DEADLINE);
    const line = await until(() => door.lines[0], { what: "the line of the timer" });
    expect(line.text).toBe("after");
  });

  test("a cancelled call ends the room", async () => {
    await using opened = await openRoom(hookCode("await new Promise(() => {})"));
    const controller = new AbortController();
    const call = outcome(
      opened.room.call("on_deploy_success", {}, { deadlineMs: 5000, signal: controller.signal }),
    );
    controller.abort();
    expect((await call).code).toBe("plugin.stopped");
    expect(opened.room.alive).toBeFalse();
  });

  test("stop ends a running call, and is idempotent", async () => {
    await using opened = await openRoom(hookCode("for (;;);"));
    const call = outcome(opened.room.call("on_deploy_success", {}, DEADLINE));
    await Promise.all([opened.room.stop(), opened.room.stop()]);
    expect((await call).code).toBe("plugin.stopped");
  });

  test("a stopped guest's calls are aborted at the door", async () => {
    let aborted = false;
    const door = recordedDoor((_method, _params, signal) => {
      signal?.addEventListener("abort", () => (aborted = true));
      return new Promise(() => {});
    });
    await using opened = await openRoom(hookCode("await ctx.kv.get('x')"), door);
    await outcome(opened.room.call("on_deploy_success", {}, { deadlineMs: 50 }));
    expect(aborted).toBeTrue();
  });

  test("a Worker that can't start is plugin.load_failed", async () => {
    const startWorker = () => new Worker("data:text/javascript,throw new Error('no')");
    expect((await outcome(openRoom("export default {}", recordedDoor(), { startWorker }))).code).toBe(
      "plugin.load_failed",
    );
  });
});

describe("bounds", () => {
  test.each([
    ["an answer that is too large", "return 'x'.repeat(9e6)", "plugin.protocol", "at most 8 MiB"],
    [
      "an answer of too many values",
      "return Array.from({ length: 200000 }, () => 0)",
      "plugin.protocol",
      `more than ${LIMITS.messageValues} values`,
    ],
    [
      "an answer that is nested too deeply",
      "let a = []; for (let i = 0; i < 300; i++) a = [a]; return a",
      "plugin.protocol",
      "deeper than 200",
    ],
  ])("%s is refused", async (_what, body, code, words) => {
    await using opened = await openRoom(hookCode(body));
    const failed = await outcome(opened.room.call("on_deploy_success", {}, DEADLINE));
    expect(failed.code).toBe(code);
    expect(failed.message).toContain(words);
    expect(opened.room.alive).toBeTrue();
  });

  test("a call that is too large is refused in the guest, and the door never sees it", async () => {
    const door = recordedDoor();
    const body = "try { await ctx.kv.set('k', 'x'.repeat(9e6)) } catch (e) { return [e.code, e.message] }";
    await using opened = await openRoom(hookCode(body), door);
    const answer = (await opened.room.call("on_deploy_success", {}, DEADLINE)) as string[];
    expect(answer[0]).toBe("capability.limit");
    expect(answer[1]).toContain("at most 8 MiB");
    expect(door.calls).toEqual([]);
  });

  test("an answer of the door that is too large is an error for the guest", async () => {
    const door = recordedDoor(() => "x".repeat(LIMITS.messageBytes + 1));
    await using opened = await openRoom(
      hookCode("try { await ctx.kv.get('k') } catch (e) { return e.code }"),
      door,
    );
    expect(await opened.room.call("on_deploy_success", {}, DEADLINE)).toBe("capability.limit");
  });

  test("a message near the limit passes in both directions", async () => {
    const door = recordedDoor((_method, params) => params);
    const body =
      "const text = 'x'.repeat(4e6); const back = await ctx.kv.set('k', text); return back.value.length";
    await using opened = await openRoom(hookCode(body), door);
    expect(await opened.room.call("on_deploy_success", {}, DEADLINE)).toBe(4e6);
  });

  test("only so many calls wait at a time", async () => {
    const door = recordedDoor(() => new Promise(() => {}));
    const body = `const all = Array.from({ length: 150 }, () => ctx.kv.get("k").catch((e) => e.code)); return (await Promise.race(all.slice(100)))`;
    await using opened = await openRoom(hookCode(body), door);
    expect(await opened.room.call("on_deploy_success", {}, DEADLINE)).toBe("capability.limit");
    expect(door.calls.length).toBe(LIMITS.guestPendingCalls);
  });

  test("the bytes of a call that could not wait are not counted with those of the next", async () => {
    const answers = Promise.withResolvers<void>();
    const door = recordedDoor((method) => (method === "kv.get" ? answers.promise : "kept"));
    const body = `
      const bytes = new Uint8Array(5 * 1024 * 1024);
      const all = Array.from({ length: ${LIMITS.guestPendingCalls} }, () => ctx.kv.get("k"));
      const refused = await ctx.kv.set("k", bytes).catch((e) => e.code);
      ctx.log.info(refused);
      await Promise.all(all);
      return [refused, await ctx.kv.set("k", bytes)];`;
    await using opened = await openRoom(hookCode(body), door);
    const answer = opened.room.call("on_deploy_success", {}, { deadlineMs: 20_000 });
    await until(() => door.lines.length > 0, { timeoutMs: 20_000, what: "the refusal" });
    answers.resolve();
    expect(await answer).toEqual(["capability.limit", "kept"]);
  });

  test("nor are those of a call that can't be JSON", async () => {
    const body = `
      const bytes = new Uint8Array(5 * 1024 * 1024);
      const failed = await ctx.kv.set("k", [bytes, 1n]).catch((e) => e.name);
      return [failed, await ctx.kv.set("k", bytes)];`;
    await using opened = await openRoom(
      hookCode(body),
      recordedDoor(() => "kept"),
    );
    const answer = await opened.room.call("on_deploy_success", {}, { deadlineMs: 20_000 });
    expect(answer).toEqual(["TypeError", "kept"]);
  });

  test("only so many bytes wait at a time", async () => {
    const door = recordedDoor(() => new Promise(() => {}));
    const body = `const text = "x".repeat(6e6); const all = Array.from({ length: 4 }, () => ctx.kv.set("k", text).catch((e) => e.message)); return await Promise.race(all)`;
    await using opened = await openRoom(hookCode(body), door);
    const answer = await opened.room.call("on_deploy_success", {}, { deadlineMs: 20_000 });
    expect(answer).toContain("more than 16 MiB");
    expect(door.calls.length).toBe(2);
  });

  test("only so many timers run at a time", async () => {
    const body = "try { for (let i = 0; ; i++) setTimeout(() => {}, 60000) } catch (e) { return e.message }";
    await using opened = await openRoom(hookCode(body));
    expect(await opened.room.call("on_deploy_success", {}, DEADLINE)).toContain("1000 timers");
  });

  test("a flood of log lines is counted, not kept, and the daemon stays quick", async () => {
    const door = recordedDoor();
    await using opened = await openRoom(
      hookCode("for (let i = 0; i < 20000; i++) ctx.log.info('line ' + i)"),
      door,
    );
    const gap = await longestGap(async () => {
      await opened.room.call("on_deploy_success", {}, DEADLINE);
    });
    expect(door.lines.length).toBeLessThan(LIMITS.logBurst + 5 * LIMITS.logPerSecond);
    const note = await until(() => door.lines.find(({ text }) => text.includes("lines were dropped")), {
      what: "the count",
    });
    expect(note.level).toBe("warn");
    expect(gap).toBeLessThan(50);
  });

  test("an event that is too large is refused before it is sent", async () => {
    await using opened = await openRoom(hookCode("return 1"));
    const event = { text: "x".repeat(LIMITS.messageBytes) };
    expect((await outcome(opened.room.call("on_deploy_success", event, DEADLINE))).code).toBe(
      "plugin.protocol",
    );
    expect(await opened.room.call("on_deploy_success", {}, DEADLINE)).toBe(1);
  });
});

describe("a Worker that misbehaves, as after a bug in its engine", () => {
  /** A Worker that answers as a room does, and then does `then`. `send` posts a message as JSON. */
  const impostor = (then: string) => () => {
    const script = `
      const send = (message) => postMessage(JSON.stringify({ jsonrpc: "2.0", ...message }));
      let control;
      onmessage = ({ data }) => {
        if (typeof data !== "string") { control = data.control; send({ method: "ready" }); return }
        const message = JSON.parse(data);
        if (message.method === "load") { send({ id: message.id, result: ["on_alert", "toString", 5, "on_alert"] }); ${then} }
      };`;
    return new Worker(URL.createObjectURL(new Blob([script])));
  };
  const open = (then: string, door = recordedDoor()) =>
    openRoom("", door, { startWorker: impostor(then), entryMs: 100 });

  test.each([
    ["text that is no JSON", "postMessage('{')"],
    ["an object", "postMessage({ jsonrpc: '2.0', id: 1, result: 1 })"],
    ["an answer that nobody asked for", "send({ id: 77, result: 1 })"],
    ["an answer twice", "send({ id: message.id, result: [] })"],
    [
      "two calls of one number",
      "send({ id: 5, method: 'host', params: { method: 'kv.get' } }); send({ id: 5, method: 'host', params: { method: 'kv.get' } })",
    ],
    ["more than a message", "send({ method: 'log', params: { level: 'info', text: 'x'.repeat(9e6) } })"],
  ])("that sends %s is ended", async (_what, then) => {
    const door = recordedDoor(() => new Promise(() => {}));
    await using opened = await open(then, door);
    await until(() => !opened.room.alive, { what: "the end of the room" });
    expect((await outcome(opened.room.call("on_alert", {}, DEADLINE))).code).toBe("plugin.protocol");
  });

  test("that names functions which are no hooks is not believed", async () => {
    await using opened = await open("");
    expect(opened.room.handlers).toEqual(["on_alert"]);
  });

  test("that is stuck where no check reaches is ended by the second guard", async () => {
    const door = recordedDoor();
    await using opened = await open("Atomics.store(control, 1, 1)", door);
    await until(() => !opened.room.alive, { what: "the end of the room" });
    expect(door.lines.at(-1)?.text).toContain("work after its hook ran longer than it may");
  });

  test("that does not answer is ended at the deadline", async () => {
    await using opened = await open("");
    expect((await outcome(opened.room.call("on_alert", {}, { deadlineMs: 30 }))).code).toBe("plugin.timeout");
  });

  test("that dies is plugin.crashed", async () => {
    await using opened = await open("setTimeout(() => process.exit(3), 10)");
    const failed = await outcome(opened.room.call("on_alert", {}, DEADLINE));
    expect(failed.code).toBe("plugin.crashed");
  });

  test("that sends more calls than may wait gets errors, and the door sees no more than that", async () => {
    const door = recordedDoor(() => new Promise(() => {}));
    await using opened = await open(
      "for (let i = 0; i < 150; i++) send({ id: i, method: 'host', params: { method: 'kv.get' } }); send({ method: 'log', params: { level: 'info', text: 'all sent' } })",
      door,
    );
    await until(() => door.lines.length > 0, { what: "the line after the calls" });
    expect(door.calls.length).toBe(LIMITS.guestPendingCalls);
    expect(opened.room.alive).toBeTrue();
  });
});
