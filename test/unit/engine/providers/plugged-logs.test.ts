/** The output of instances that can only be looked at: every line once, from plugins that know positions and from those that don't. */
import { describe, expect, test } from "bun:test";
import { fail } from "../../../../src/base/errors.ts";
import { LIMITS } from "../../../../src/base/limits.ts";
import { codeOf } from "../../../fixtures/rejection.ts";
import { until } from "../../../harness.ts";
import { context, pluggedWorld, type PluggedWorld } from "./plugged-world.ts";

const NOW = { tail: undefined, follow: false } as const;

/** One look, as whoever collects takes it: the lines, and where to go on. */
async function looker(world: PluggedWorld) {
  const { id } = await world.made();
  let from: string | undefined;
  return async () => {
    const lines: string[] = [];
    for await (const { parts, position } of world.provider.logs(id, {
      from,
      look: NOW,
      signal: context.signal,
    })) {
      from = position;
      expect(position).toMatch(/^[!-~]+$/);
      for (const { stream, text } of parts)
        for (const line of text.split("\n")) lines.push(`${stream}: ${line}`);
    }
    return lines;
  };
}

describe("a plugin that knows positions", () => {
  test("is asked for what comes behind the last one, until there is nothing", async () => {
    const world = pluggedWorld();
    const look = await looker(world);
    const all = ["one", "two", "three"];
    world.answers.logs = ({ position }) => {
      const at = Number(position ?? 0);
      return {
        lines: all.slice(at, at + 2).map((text) => ({ text })),
        position: `${Math.min(at + 2, all.length)}`,
      };
    };
    expect(await look()).toEqual(["stdout: one", "stdout: two", "stdout: three"]);
    expect(await look()).toEqual([]);
    all.push("four");
    expect(await look()).toEqual(["stdout: four"]);
  });

  test("gives each line its stream and its time", async () => {
    const world = pluggedWorld();
    const { id } = await world.made();
    world.answers.logs = ({ position }) =>
      position === undefined
        ? {
            lines: [
              { text: "a", at: "2026-01-01T00:00:01Z" },
              { text: "b", at: "2026-01-01T00:00:01Z" },
              { text: "c", at: "2026-01-01T00:00:02Z", stream: "stderr" },
            ],
            position: "with blanks & ü",
          }
        : { lines: [], position };
    const [batch] = await Array.fromAsync(
      world.provider.logs(id, { from: undefined, look: NOW, signal: context.signal }),
    );
    expect(batch?.parts).toEqual([
      { stream: "stdout", atMs: Date.UTC(2026, 0, 1, 0, 0, 1), text: "a\nb" },
      { stream: "stderr", atMs: Date.UTC(2026, 0, 1, 0, 0, 2), text: "c" },
    ]);
    expect(world.asked.at(-1)?.params).toEqual({ name: id, position: "with blanks & ü" });
  });

  test("that gives lines and the same position again is refused: they would come for ever", async () => {
    const world = pluggedWorld();
    const look = await looker(world);
    world.answers.logs = () => ({ lines: [{ text: "a" }], position: "1" });
    expect(await codeOf(look())).toBe("plugin.protocol");
  });

  test("whose answer is too large goes on with the last lines, and says that some are missing", async () => {
    const world = pluggedWorld();
    const look = await looker(world);
    world.answers.logs = ({ position }) => ({
      lines: position === undefined ? [{ text: "a" }] : [],
      position: "1",
    });
    await look();
    world.answers.logs = ({ position }) => {
      if (position === "1") throw fail("plugin.protocol", "too much", { details: { problem: "too_large" } });
      return { lines: position === undefined ? [{ text: "z" }] : [], position: "9" };
    };
    expect(await look()).toEqual([
      expect.stringContaining("stderr: [voxeltron] output is missing here"),
      "stdout: z",
    ]);
    expect(await look()).toEqual([]);
  });
});

describe("a plugin that gives a text each time", () => {
  test("of millions of lines is shown with the last ones, whether it looks at tail or not", async () => {
    const world = pluggedWorld();
    const look = await looker(world);
    world.answers.logs = () => `${"\n".repeat(3_000_000)}last`;
    world.answers.status = () => "exited";
    const shown = await look();
    expect(shown[0]).toContain("output is missing here");
    expect(shown.length).toBeLessThanOrEqual(LIMITS.providerLogLines + 2);
    const tails = world.asked.filter(({ action }) => action === "logs").map(({ params }) => params["tail"]);
    expect(tails).toEqual([undefined, LIMITS.providerLogLines]);
  });

  test("gives every line once, however often it is looked at, and equal lines too", async () => {
    const world = pluggedWorld();
    const look = await looker(world);
    let text = "tick\ntick\n";
    world.answers.logs = () => text;
    expect(await look()).toEqual(["stdout: tick", "stdout: tick"]);
    expect(await look()).toEqual([]);
    text += "tick\ntock\n";
    expect(await look()).toEqual(["stdout: tick", "stdout: tock"]);
    expect(world.asked.at(-1)?.params).toEqual({ name: "vx-web-1-a", tail: LIMITS.providerLogLines });
  });

  test("gives all of a log that begins anew", async () => {
    const world = pluggedWorld();
    const look = await looker(world);
    world.answers.logs = () => "a\nb\nc\n";
    await look();
    world.answers.logs = () => "d\n";
    expect(await look()).toEqual(["stdout: d"]);
  });

  test("of which more was written than it shows says that lines are missing", async () => {
    const world = pluggedWorld();
    const look = await looker(world);
    const window = (from: number) =>
      Array.from({ length: LIMITS.providerLogLines }, (_, index) => `line ${from + index}\n`).join("");
    world.answers.logs = () => window(0);
    expect((await look()).length).toBe(LIMITS.providerLogLines);
    world.answers.logs = () => window(3);
    expect(await look()).toEqual([2000, 2001, 2002].map((each) => `stdout: line ${each}`));
    world.answers.logs = () => window(10_000);
    const lines = await look();
    expect(lines[0]).toContain("output is missing here");
    expect(lines.length).toBe(LIMITS.providerLogLines + 1);
  });

  test("keeps back a line without an end until it has one, or the instance has ended", async () => {
    const world = pluggedWorld();
    const look = await looker(world);
    world.answers.status = () => "running";
    world.answers.logs = () => "a\nhalf";
    expect(await look()).toEqual(["stdout: a"]);
    world.answers.logs = () => "a\nhalf of it";
    world.answers.status = () => "exited";
    expect(await look()).toEqual(["stdout: half of it"]);
  });
});

test.each([undefined, "9"])(
  "who wants the last two lines gets no more, whatever comes (position %p)",
  async (position) => {
    const world = pluggedWorld();
    const { id } = await world.made();
    const lines = ["a", "b", "c", "d"].map((text) => ({ text }));
    world.answers.logs = (params) => ({ lines: params["position"] === undefined ? lines : [], position });
    const look = { tail: 2, follow: false };
    const found = await Array.fromAsync(
      world.provider.logs(id, { from: undefined, look, signal: context.signal }),
    );
    expect(found.flatMap(({ parts }) => parts.map(({ text }) => text))).toEqual(["c\nd"]);
    expect(world.asked[0]?.params).toEqual({ name: id, tail: 2 });
  },
);

describe("who follows", () => {
  test("gets what comes with longer and longer pauses, and the end of it", async () => {
    const world = pluggedWorld();
    const { id } = await world.made();
    let [text, state] = ["one\n", "running"];
    world.answers.logs = () => text;
    world.answers.status = () => state;
    const lines: string[] = [];
    const done = (async () => {
      for await (const { parts } of world.provider.logs(id, { from: undefined, signal: context.signal }))
        lines.push(...parts.map((part) => part.text));
    })();
    await until(() => lines.length === 1);
    const looks = () => world.asked.filter(({ action }) => action === "logs").length;
    await world.clock.advance(60_000);
    // Not once a second.
    expect(looks()).toBeLessThan(12);
    text += "two\n";
    await world.clock.advance(10_000);
    await until(() => lines.length === 2);
    text += "last\n";
    state = "exited";
    await world.clock.advance(10_000);
    await done;
    expect(lines).toEqual(["one", "two", "last"]);
  });

  test("ends with the signal, whatever it waits for", async () => {
    const world = pluggedWorld();
    const { id } = await world.made();
    const stop = new AbortController();
    world.answers.logs = () => "";
    world.answers.status = () => "running";
    const done = Array.fromAsync(world.provider.logs(id, { from: undefined, signal: stop.signal }));
    await until(() => world.asked.some(({ action }) => action === "status"));
    stop.abort();
    expect(await done).toEqual([]);
  });
});
