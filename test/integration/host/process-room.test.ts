/** The process room for JavaScript as a whole: what a plugin finds in its world, how it loads, fails and is ended. */
import { describe, expect, test } from "bun:test";
import { systemClock } from "../../../src/base/clock.ts";
import { fail } from "../../../src/base/errors.ts";
import { LIMITS } from "../../../src/base/limits.ts";
import { openProcessRoom } from "../../../src/host/runtimes/process/room.ts";
import type { StartConfined } from "../../../src/platform/confine/confined-process.ts";
import { until } from "../../harness.ts";
import { hookCode, recordedDoor } from "../../js-room.ts";
import { outcome } from "../../outcome.ts";
import { canConfine, isRunning, processRooms } from "../../process-room.ts";

const DEADLINE = { deadlineMs: 5000 };

/** What one expression gives inside of a plugin's module. */
async function evaluate(expression: string): Promise<unknown> {
  await using rooms = processRooms();
  const room = await rooms.open(hookCode(`return (${expression})`));
  return await room.call("on_deploy_success", {}, DEADLINE);
}

describe.skipIf(!canConfine)("a plugin's world", () => {
  test("has the language, the web's interfaces and Buffer, and not the names of the engine", async () => {
    const absent =
      "process Bun require module Worker WebAssembly navigator prompt alert confirm postMessage self global";
    const present = "Intl Buffer URL fetch setTimeout structuredClone Float64Array console crypto";
    const code = (names: string) =>
      `[${names
        .split(" ")
        .map((name) => `typeof ${name}`)
        .join()}].join(" ")`;
    expect(await evaluate(code(absent))).toBe(
      absent
        .split(" ")
        .map(() => "undefined")
        .join(" "),
    );
    expect(await evaluate(code(present))).not.toContain("undefined");
  });

  test("makes code from text as the Worker's does: eval, Function and its kin", async () => {
    const code = `await Promise.all([
      (0, eval)("var made = 2; made + 1"), globalThis.made, typeof eval("x => x"), new Function("a", "b", "return a + b")(1, 2),
      (() => {}).constructor("return this === globalThis")(), new ((async () => {}).constructor)("return await 7")(),
      [...new (function* () {}).constructor("yield 1; yield 2")()].length, new Function() instanceof Function,
      new (class extends Function { more() { return 5 } })("return 1").more(), (() => {}).constructor === Function, Function.name ])`;
    expect(await evaluate(code)).toEqual([3, 2, "function", 3, true, 7, 2, true, 5, true, "Function"]);
  });

  test.each([
    ["})(); (function () {", "SyntaxError"],
    ["return 1 //", ""],
    ["*/ return /*", "SyntaxError"],
    ["{", "SyntaxError"],
  ])("takes the body %p of a function only where it is whole", async (body, name) => {
    const code = `(() => { try { new Function(${JSON.stringify(body)}); return "" } catch (error) { return error.name } })()`;
    expect(await evaluate(code)).toBe(name);
  });

  test("keeps its promise where the plugin has such a name itself, and runs its code once", async () => {
    const door = recordedDoor();
    await using rooms = processRooms();
    const code = `import { setImmediate } from "node:timers"; const process = { mine: true };
      console.log("once"); export default { on_alert() { return [process.mine, typeof setImmediate] } };`;
    const room = await rooms.open(code, door);
    expect(await room.call("on_alert", {}, DEADLINE)).toEqual([true, "function"]);
    expect(door.lines.map(({ text }) => text)).toEqual(["once"]);
  });

  test("goes on after what nobody catches, and its log has what the Worker's would have", async () => {
    const door = recordedDoor();
    await using rooms = processRooms();
    const code = `import { gunzip } from "node:zlib";
      export default { async on_alert(event) {
        Promise.reject(new Error("nobody hears of it"));
        setTimeout(() => { throw new TypeError("in a timer") }, 1);
        gunzip(new Uint8Array(3), () => { throw new RangeError("in a callback") });
      }, on_deploy_fail() { return "alive" } };`;
    const room = await rooms.open(code, door);
    await room.call("on_alert", {}, DEADLINE);
    await until(() => door.lines.length === 2, { what: "the two lines" });
    expect(door.lines.map(({ text }) => text).toSorted()).toEqual([
      expect.stringMatching(/^uncaught in a callback: RangeError: in a callback \(at /),
      expect.stringMatching(/^uncaught in a timer: TypeError: in a timer \(at /),
    ]);
    expect(await room.call("on_deploy_fail", {}, DEADLINE)).toBe("alive");
  });
});

describe.skipIf(!canConfine)("loading", () => {
  test("takes a bundle that is larger than a message", async () => {
    await using rooms = processRooms();
    const text = `const big = "${"x".repeat(LIMITS.bundleBytes - 200)}"; export default { on_alert() { return big.length } };`;
    const room = await rooms.open(text);
    expect(await room.call("on_alert", {}, DEADLINE)).toBe(LIMITS.bundleBytes - 200);
  });

  test.each([
    ["throw new Error('at load')", "at load"],
    ["export const a = 1;", "no default export"],
    ["export default 5;", "no default export"],
    ["this is no JavaScript", "SyntaxError"],
    ["import './other.ts'; export default {};", "SyntaxError"],
    ["JSON.parse('{'); export default {};", "SyntaxError"],
    ["const a = []; for (;;) a.push(new Uint8Array(1e6).fill(1));", "more than 384 MiB"],
    ["export default (function f() { return 1 + f() })();", "Maximum call stack"],
  ])("that fails is plugin.load_failed: %s", async (code, words) => {
    await using rooms = processRooms();
    const failed = await outcome(rooms.open(code));
    expect(failed.code).toBe("plugin.load_failed");
    expect(failed.message).toContain(words);
    expect(rooms.children.map(isRunning)).toEqual([false]);
  });

  test.each([["for (;;);"], ["await new Promise(() => {}); export default {};"]])(
    "that never ends is plugin.load_failed too: %s",
    async (code) => {
      await using rooms = processRooms();
      const failed = await outcome(rooms.open(code, recordedDoor(), { entryMs: 200 }));
      expect(failed).toMatchObject({ code: "plugin.load_failed", details: { reason: "plugin.timeout" } });
      expect(rooms.children.map(isRunning)).toEqual([false]);
    },
    10_000,
  );

  test("in a process that could not be confined is an error that says why, and the plugin's code is not sent on", async () => {
    const start: StartConfined = () => {
      const child = Bun.spawn(["true"], { stdio: ["ignore", "ignore", "ignore", "socket-fd"] });
      return {
        pid: child.pid,
        descriptor: child.stdio[3] as unknown as number,
        ended: child.exited.then(() => ({ kind: "unconfined", step: "seccomp", reason: "ENOSYS" }) as const),
        kill: () => child.kill("SIGKILL"),
        cpuMs: () => undefined,
      };
    };
    const open = openProcessRoom({
      start,
      clock: systemClock,
      uidFor: () => undefined,
      confined: () => true,
    });
    const code = { kind: "js", text: hookCode("return 1"), sourceMap: undefined } as const;
    const failed = await outcome(
      open({ name: "sample", version: "1.0.0", config: {}, entryMs: 1000, code }, recordedDoor()),
    );
    expect(failed).toMatchObject({
      code: "confinement.unavailable",
      details: { step: "seccomp", reason: "ENOSYS" },
    });
  });

  test("where the machine can't confine throws what the start throws", async () => {
    const start: StartConfined = () => {
      throw fail("confinement.unavailable", "no Landlock");
    };
    const open = openProcessRoom({
      start,
      clock: systemClock,
      uidFor: () => undefined,
      confined: () => true,
    });
    const code = { kind: "wasm", bytes: new Uint8Array(8) } as const;
    const failed = await outcome(
      open({ name: "sample", version: "1.0.0", config: {}, entryMs: 1000, code }, recordedDoor()),
    );
    expect(failed).toMatchObject({ code: "confinement.unavailable", message: "no Landlock" });
  });
});

describe.skipIf(!canConfine)("errors", () => {
  test("name the author's files and lines, also after an await", async () => {
    // Generated line 3, columns 6 and 7 → src/hello.ts 3:5; made by hand: one segment a line.
    const map = JSON.stringify({ version: 3, sources: ["src/hello.ts"], mappings: ";;AAEI" });
    const code = `
export default {
async on_alert() { await 0; throw new Error("late") },
};`;
    await using rooms = processRooms();
    const room = await rooms.open(code, recordedDoor(), { sourceMap: map });
    const failed = await outcome(room.call("on_alert", {}, DEADLINE));
    expect(failed.details["stack"]).toEqual(["on_alert (src/hello.ts:3:5)"]);
  });

  test("of a full memory end the plugin, though the engine only throws", async () => {
    await using rooms = processRooms();
    const room = await rooms.open(hookCode("let text = 'x'; for (;;) text += text"));
    const failed = await outcome(room.call("on_deploy_success", {}, DEADLINE));
    expect(failed).toMatchObject({
      code: "plugin.out_of_memory",
      message: "sample was stopped: on_deploy_success needed more than 384 MiB of memory",
    });
    expect(room.alive).toBe(false);
  });
});

test.skipIf(!canConfine).each([
  ["an answer of 100 MB", "return 'x'.repeat(1e8)"],
  ["a call with 300 MB", "return await ctx.kv.set('k', 'x'.repeat(3e8))"],
  ["300 MB of text as bytes", "return new TextEncoder().encode('x'.repeat(3e8)).length"],
])("%s is refused at once, as too large or for want of memory", async (_what, body) => {
  await using rooms = processRooms();
  const room = await rooms.open(hookCode(body));
  const { code } = await outcome(room.call("on_deploy_success", {}, DEADLINE));
  expect(["plugin.protocol", "plugin.failed", "plugin.out_of_memory"]).toContain(code);
});

describe.skipIf(!canConfine)("work after a hook", () => {
  const SPIN = "const spin = (ms) => { const end = Date.now() + ms; while (Date.now() < end); };";

  test.each([
    ["in one go", "setTimeout(() => { for (;;); }, 1)"],
    ["in small pieces", "setInterval(() => spin(20), 1)"],
  ])("that eats the processor %s ends the room, and the log says so", async (_how, body) => {
    const door = recordedDoor();
    await using rooms = processRooms();
    const room = await rooms.open(hookCode(`${SPIN} ${body}`), door, { entryMs: 300 });
    await room.call("on_deploy_success", {}, DEADLINE);
    await until(() => !room.alive, { what: "the end of the room" });
    expect(door.lines.at(-1)?.text).toContain("work after its hook ran longer than it may");
    await room.stop();
    expect(rooms.children.map(isRunning)).toEqual([false]);
  });

  test("may wait as long as it likes, and what the hook itself took does not count", async () => {
    const door = recordedDoor();
    await using rooms = processRooms();
    const body = `${SPIN} spin(900); setTimeout(() => ctx.log.info("after"), 1500)`;
    const room = await rooms.open(hookCode(body), door, { entryMs: 500 });
    await room.call("on_deploy_success", {}, DEADLINE);
    await until(() => door.lines.length > 0, { what: "the line of the timer" });
    expect(door.lines[0]?.text).toBe("after");
    expect(room.alive).toBe(true);
  });
});

test.skipIf(!canConfine)("a room that is stopped leaves no process, whatever it was doing", async () => {
  await using rooms = processRooms();
  const room = await rooms.open(hookCode("for (;;);"));
  const call = outcome(room.call("on_deploy_success", {}, DEADLINE));
  expect(rooms.children.map(isRunning)).toEqual([true]);
  await Promise.all([room.stop(), room.stop()]);
  expect((await call).code).toBe("plugin.stopped");
  expect(rooms.children.map(isRunning)).toEqual([false]);
});
