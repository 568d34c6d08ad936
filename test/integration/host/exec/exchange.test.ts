/** Calls of executables: the protocol with good ones, and one clear error and no process left with all others. */
import { describe, expect, test } from "bun:test";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { systemClock } from "../../../../src/base/clock.ts";
import { makeExchange, type Executable } from "../../../../src/host/runtimes/exec/exchange.ts";
import type { ExecRequest } from "../../../../src/host/runtimes/exec/protocol.ts";
import { MISBEHAVIOURS, writeExecutable } from "../../../fixtures/executables.ts";
import { rejection } from "../../../fixtures/rejection.ts";
import { tempDir, until } from "../../../harness.ts";

const exchange = makeExchange(systemClock);
const request: ExecRequest = { action: "status", params: { name: "w" }, id: "1", deadlineMs: 10_000 };

function executable(folder: string, env: Record<string, string> = {}): Executable {
  return { plugin: "sample", folder, entrypoint: "run", env: { PATH: "/usr/bin:/bin", ...env } };
}

/** Processes that were started in this folder. */
function leftIn(folder: string): number[] {
  return readdirSync("/proc")
    .map(Number)
    .filter((pid) => pid > 0)
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/environ`, "latin1").includes(`HERE=${folder}`);
      } catch {
        return false;
      }
    });
}

async function run(script: string, changes: Partial<ExecRequest> = {}, said?: (line: string) => void) {
  await using dir = tempDir();
  const folder = writeExecutable(dir.path, "good", script);
  return await exchange(executable(folder), { ...request, ...changes }, { said });
}

describe("a call of an executable", () => {
  test("sends one JSON object with the seed's fields and those beside them, and gives the result", async () => {
    const result = await run(`printf '{"ok":true,"result":%s}' "$(cat)"`, { eventId: "e1" });
    expect(result).toEqual({
      action: "status",
      params: { name: "w" },
      v: 1,
      id: "1",
      deadline_ms: 10_000,
      event_id: "e1",
    });
  });

  test("takes an answer with space around it, with any JSON as its result, and without one", async () => {
    expect(await run(`cat >/dev/null; printf '\\n\\n  {"ok": true, "result": {"a": [1]}}\\n\\n'`)).toEqual({
      a: [1],
    });
    expect(await run(`cat >/dev/null; echo '{"ok":true,"more":"passed over"}'`)).toBeUndefined();
  });

  test("keeps no descriptor for what left the group and holds the output", async () => {
    await using dir = tempDir();
    const folder = writeExecutable(
      dir.path,
      "good",
      `cat >/dev/null; setsid sh -c 'echo $$ >> pids; exec sleep 1000' & echo '{"ok":true}'`,
    );
    const descriptors = () => readdirSync("/proc/self/fd").length;
    try {
      await rejection(exchange(executable(folder), request));
      const before = descriptors();
      for (let calls = 0; calls < 2; calls++)
        expect(await rejection(exchange(executable(folder), request))).toMatchObject({
          details: { problem: "output_held" },
        });
      await until(() => descriptors() <= before);
    } finally {
      for (const pid of readFileSync(`${folder}/pids`, "utf8").trim().split("\n")) process.kill(Number(pid));
    }
  });

  test("does not need its input to be read", async () => {
    expect(await run(`echo '{"ok":true,"result":"unread"}'`)).toBe("unread");
    expect(await run(`exec 0<&-\necho '{"ok":true,"result":"closed"}'`)).toBe("closed");
    const params = { text: "x".repeat(1 << 20) };
    expect(await run(`echo '{"ok":true,"result":"large"}'`, { params })).toBe("large");
  });

  test("takes a slow reader and a large answer", async () => {
    const params = { text: "x".repeat(1 << 20) };
    const script = `sleep 0.2; printf '{"ok":true,"result":%s}' "$(cat)"`;
    expect(await run(script, { params })).toMatchObject({ params });
  });

  test("gives each line of standard error as it comes", async () => {
    const lines: string[] = [];
    await run(`cat >/dev/null; echo one >&2; printf 'two' >&2; echo '{"ok":true}'`, {}, (line) =>
      lines.push(line),
    );
    expect(lines).toEqual(["one", "two"]);
  });

  test("inherits nothing of the daemon's environment", async () => {
    process.env["EXEC_TEST_SECRET"] = "x";
    try {
      const found = (await run(
        `cat >/dev/null; printf '{"ok":true,"result":"%s"}' "$(env | cut -d= -f1 | sort | tr '\\n' ' ')"`,
      )) as string;
      expect(
        found
          .trim()
          .split(" ")
          .filter((name) => !["PWD", "_", "SHLVL", "OLDPWD"].includes(name)),
      ).toEqual(["PATH"]);
    } finally {
      delete process.env["EXEC_TEST_SECRET"];
    }
  });

  test("runs in its own folder", async () => {
    expect(await run(`cat >/dev/null; printf '{"ok":true,"result":"%s"}' "$(basename "$PWD")"`)).toBe("good");
  });

  test("that is cancelled ends with all that it started", async () => {
    await using dir = tempDir();
    const folder = writeExecutable(dir.path, "long", "sleep 1000 & sleep 1000");
    const stop = new AbortController();
    const call = rejection(exchange(executable(folder, { HERE: folder }), request, { signal: stop.signal }));
    await until(() => leftIn(folder).length >= 2);
    stop.abort();
    expect(await call).toMatchObject({ code: "operation.interrupted" });
    await until(() => leftIn(folder).length === 0);
  });

  test.each([
    ["that is no program", "\u007fELFnonsense", /could not be started/],
    ["whose interpreter is missing", "#!/nowhere/sh\n", /could not be started/],
  ])("of a file %s says so", async (_what, content, message) => {
    await using dir = tempDir();
    const folder = writeExecutable(dir.path, "bad", "");
    writeFileSync(`${folder}/run`, content);
    expect(await rejection(exchange(executable(folder), request))).toMatchObject({
      code: "plugin.load_failed",
      message: expect.stringMatching(message),
    });
  });
});

describe("an executable", () => {
  test.each(MISBEHAVIOURS.map((each) => [each.name, each] as const))(
    "that %s gets its own error, and leaves no process",
    async (name, { script, ending, deadlineMs = 10_000 }) => {
      await using dir = tempDir();
      const folder = writeExecutable(dir.path, name, script);
      const error = await rejection(
        exchange(executable(folder, { HERE: folder }), { ...request, deadlineMs }),
      );
      expect(error).toMatchObject({
        code: ending.code,
        message: expect.stringMatching(ending.message),
        ...(ending.problem === undefined ? {} : { details: { problem: ending.problem } }),
      });
      await until(() => leftIn(folder).length === 0, { what: "the end of all its processes" });
    },
  );

  test("of these there are at least thirty", () => {
    expect(MISBEHAVIOURS.length).toBeGreaterThanOrEqual(30);
  });
});
