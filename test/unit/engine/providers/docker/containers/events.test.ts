import { describe, expect, test } from "bun:test";
import { eventOf, readEvents } from "../../../../../../src/engine/providers/docker/containers/events.ts";

const made = {
  "voxeltron.owner": "me",
  "voxeltron.plugin": "tidy",
  "voxeltron.image": "redis:7",
  name: "vxp.tidy.x",
};
const raw = (action: string, attributes: Record<string, string> = {}) => ({
  status: action,
  Type: "container",
  Action: action,
  Actor: { ID: "f".repeat(64), Attributes: { ...made, image: "sha256:1", ...attributes } },
  timeNano: 1_767_225_600_123 * 1e6,
});

describe("an event of a container", () => {
  test("is built from few of the engine's words", () => {
    expect(eventOf(raw("die", { exitCode: "3", execDuration: "canary", canary: "canary" }), "me")).toEqual({
      at: "2026-01-01T00:00:00.123Z",
      action: "die",
      id: "f".repeat(64),
      name: "vxp.tidy.x",
      image: "redis:7",
      origin: "plugin",
      plugin: "tidy",
      exitCode: 3,
    });
    expect(eventOf(raw("health_status: unhealthy"), "me")).toMatchObject({
      action: "health",
      health: "unhealthy",
    });
  });

  test.each([
    "exec_create: sh -c canary",
    "exec_start: canary",
    "exec_die",
    "attach",
    "top",
    "copy",
    "resize",
    "commit",
    "archive-path",
    "canary",
    "",
    "constructor",
    "__proto__",
  ])("%j is none that is told", (action) => {
    expect(eventOf(raw(action), "me")).toBeUndefined();
  });

  test.each([
    [null],
    [1],
    ["x"],
    [{}],
    [{ Type: "image", Action: "pull" }],
    [{ Type: "container", Action: "die" }],
  ])("%j is no event", (value) => {
    expect(eventOf(value, "me")).toBeUndefined();
  });
});

describe("a stream of events", () => {
  async function* chunks(...parts: string[]): AsyncGenerator<Uint8Array> {
    for (const part of parts) yield new TextEncoder().encode(part);
  }

  test("is the same however its bytes were cut", async () => {
    const text = '{"a":"ä"}\n{"b":2}\nnot json\n\n{"c":3}\n{"d":';
    const bytes = new TextEncoder().encode(text);
    for (let cut = 0; cut <= bytes.length; cut++) {
      const parts = [bytes.slice(0, cut), bytes.slice(cut)];
      const found: unknown[] = [];
      for await (const event of readEvents(
        (async function* () {
          yield* parts;
        })(),
      ))
        found.push(event);
      expect(found).toEqual([{ a: "ä" }, { b: 2 }, { c: 3 }]);
    }
  });

  test("that never ends a line is ended", async () => {
    const endless = readEvents(chunks(...Array.from({ length: 20 }, () => "x".repeat(100_000))));
    expect(endless.next()).rejects.toThrow("without an end");
  });
});
