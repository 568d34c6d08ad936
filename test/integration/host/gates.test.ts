/** Who may refuse an operation, in which order, and what is recorded of it. */
import { describe, expect, test } from "bun:test";
import { fail, isVoxError, type VoxError } from "../../../src/base/errors.ts";
import { fakeClock, tempDir, until } from "../../harness.ts";
import { deployData, openRig, startRig, type FakePlugin } from "./event-rig.ts";

const never = new AbortController().signal;

async function refusalOf(work: Promise<unknown>): Promise<VoxError> {
  try {
    await work;
  } catch (error) {
    if (isVoxError(error)) return error;
    throw error;
  }
  throw new Error("nothing was refused");
}

/** A gate that notes that it was asked. */
function gate(asked: string[], name: string, answer: () => unknown = () => undefined): [string, FakePlugin] {
  return [name, { gate: true, run: () => (asked.push(name), answer()) }];
}

function refuse(): never {
  throw fail("plugin.failed", "not on a\nFriday\u001B[2J");
}

describe("announce", () => {
  test("asks every gate in the order of their names, and goes on when all agree", async () => {
    const asked: string[] = [];
    await using rig = startRig(new Map([gate(asked, "c"), gate(asked, "a"), gate(asked, "b")]));
    const event = await rig.events.announce("on_deploy_start", deployData("web"), never);
    expect(asked).toEqual(["a", "b", "c"]);
    expect(rig.feed.find(event.id)?.deliveries.map(({ plugin, state }) => `${plugin} ${state}`)).toEqual([
      "a done",
      "b done",
      "c done",
    ]);
  });

  test("asks a plugin when it has heard of what happened before, and does not wait for one that rests", async () => {
    const seen: string[] = [];
    const heard = Promise.withResolvers<void>();
    const both: FakePlugin = {
      gate: ["on_deploy_start"],
      async run(event) {
        if (event.hook === "on_deploy_success") await heard.promise;
        seen.push(event.hook);
      },
    };
    await using rig = startRig(new Map([["both", both]]));
    rig.emit("web");
    const asking = rig.events.announce("on_deploy_start", deployData("web"), never);
    await until(() => rig.feed.list(10).length === 2);
    await Bun.sleep(50);
    expect(seen).toEqual([]);
    heard.resolve();
    await asking;
    expect(seen).toEqual(["on_deploy_success", "on_deploy_start"]);
    // What fails is tried again a second later, and nobody waits for that.
    both.run = (event) => {
      if (event.hook === "on_deploy_success") throw fail("plugin.failed", "boom");
      seen.push(event.hook);
    };
    const { id } = rig.emit("web");
    await rig.becomes(id, "both", "pending 1");
    await rig.events.announce("on_deploy_start", deployData("web"), never);
    expect(seen.length).toBe(3);
  });

  test("stops at the first refusal: it is the error, and the gates after it are not asked", async () => {
    const asked: string[] = [];
    await using rig = startRig(
      new Map([gate(asked, "a"), gate(asked, "b", refuse), gate(asked, "c", refuse)]),
    );
    const error = await refusalOf(rig.events.announce("on_deploy_start", deployData("web"), never));
    expect(asked).toEqual(["a", "b"]);
    expect(error).toMatchObject({
      code: "gate.refused",
      message: "b refused on_deploy_start: not on a Friday[2J",
      hint: "to go on without it: voxeltron plugin disable b",
      details: { plugin: "b", hook: "on_deploy_start", reason: "plugin.failed" },
    });
    const [event] = rig.feed.list(1);
    expect(event?.deliveries).toEqual([
      { plugin: "a", state: "done", attempts: 1, error: null },
      { plugin: "b", state: "refused", attempts: 1, error: "plugin.failed: not on a Friday[2J" },
    ]);
  });

  test.each([
    "plugin.timeout",
    "plugin.crashed",
    "plugin.tampered",
    "plugin.load_failed",
    "plugin.no_hook",
  ] as const)("a gate that answers with %s refuses", async (code) => {
    const [name, plugin] = gate([], "a", () => {
      throw fail(code, "it did not work out", { hint: "mend it" });
    });
    await using rig = startRig(new Map([[name, plugin]]));
    const error = await refusalOf(rig.events.announce("on_deploy_start", deployData("web"), never));
    expect(error.message).toBe("a could not be asked about on_deploy_start: it did not work out");
    expect(error.hint).toBe("mend it; or, to go on without it: voxeltron plugin disable a");
    expect(error.details).toMatchObject({ reason: code });
    expect(rig.feed.list(1)[0]?.deliveries).toMatchObject([{ plugin: "a", state: "refused" }]);
  });

  test("a bug in running a gate refuses too, and keeps its text to the log", async () => {
    const [name, plugin] = gate([], "a", () => {
      throw new TypeError("secret");
    });
    await using rig = startRig(new Map([[name, plugin]]));
    const error = await refusalOf(rig.events.announce("on_deploy_start", deployData("web"), never));
    expect(error.message).not.toContain("secret");
  });

  test("a disabled gate is passed over, also one that was disabled a moment ago", async () => {
    const asked: string[] = [];
    const [name, plugin] = gate(asked, "a", refuse);
    await using rig = startRig(
      new Map([[name, { ...plugin, state: "disabled" as const }], gate(asked, "b")]),
    );
    const { id } = await rig.events.announce("on_deploy_start", deployData("web"), never);
    rig.runner.subscribers = () => [{ plugin: "a", gate: true }];
    const late = await rig.events.announce("on_deploy_start", deployData("web"), never);
    expect(asked).toEqual(["b"]);
    expect(rig.feed.find(id)?.deliveries.map(({ plugin }) => plugin)).toEqual(["b"]);
    expect(rig.feed.find(late.id)?.deliveries).toEqual([]);
  });

  test("an observer of the same event gets it as a delivery, the gate does not", async () => {
    const asked: string[] = [];
    const seen: string[] = [];
    const observer: FakePlugin = { run: (event) => void seen.push(event.id) };
    await using rig = startRig(new Map([gate(asked, "a"), ["b", observer]]));
    const { id } = await rig.events.announce("on_deploy_start", deployData("web"), never);
    await rig.becomes(id, "b", "done 1");
    await rig.clock.advance(10_000);
    expect([asked, seen]).toEqual([["a"], [id]]);
  });

  test("a cancelled operation ends with the signal's reason, and asks nobody else", async () => {
    const asked: string[] = [];
    const cancel = new AbortController();
    const reason = fail("deploy.cancelled", "cancelled");
    const [name, plugin] = gate(asked, "a", () => {
      cancel.abort(reason);
      throw fail("plugin.stopped", "stopped");
    });
    await using rig = startRig(new Map([[name, plugin], gate(asked, "b")]));
    expect(await refusalOf(rig.events.announce("on_deploy_start", deployData("web"), cancel.signal))).toBe(
      reason,
    );
    expect(asked).toEqual(["a"]);
    expect(rig.feed.list(1)[0]?.deliveries).toEqual([
      { plugin: "a", state: "dead", attempts: 1, error: "the operation was cancelled before it answered" },
    ]);
  });

  test("without a record there is no asking: a full disk refuses", async () => {
    const asked: string[] = [];
    await using rig = startRig(new Map([gate(asked, "a")]));
    rig.rows.deliveries.openGate = () => {
      throw fail("disk.full", "the disk is full");
    };
    const error = await refusalOf(rig.events.announce("on_deploy_start", deployData("web"), never));
    expect([error.code, asked]).toEqual(["disk.full", []]);
  });
});

describe("a daemon that dies while a gate is asked", () => {
  test.each([
    ["before the gate was asked", false],
    ["while the gate ran", true],
  ])("%s: nothing delivers the event to it later", async (_name, wasAsked) => {
    await using dir = tempDir();
    const path = `${dir.path}/state.db`;
    const asked: string[] = [];
    const clock = fakeClock();
    const first = openRig(path, new Map([gate(asked, "a", () => new Promise(() => {}))]), clock);
    // Not started: as if it died before the fan-out.
    const id = wasAsked
      ? (void first.events.announce("on_deploy_start", deployData("web"), never),
        first.feed.list(1)[0]?.id ?? "")
      : first.events.emit("on_deploy_start", deployData("web")).id;
    await until(() => asked.length === (wasAsked ? 1 : 0));
    first.db.close();

    // Where it was asked, not even a new version that only observes gets it.
    const second = openRig(
      path,
      new Map([["a", { gate: !wasAsked, run: () => asked.push("again") }]]),
      clock,
    );
    second.dispatcher.start();
    await until(() => second.rows.events.toFanOut(1).length === 0);
    await clock.advance(600_000);
    expect(asked).toEqual(wasAsked ? ["a"] : []);
    expect(second.feed.find(id)?.deliveries).toEqual(
      wasAsked
        ? [{ plugin: "a", state: "dead", attempts: 0, error: "the daemon ended before it answered" }]
        : [],
    );
    await second.dispatcher.stop(0);
    second.db.close();
  });
});
