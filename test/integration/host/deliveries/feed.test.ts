/** What `voxeltron events` and `voxeltron events -f` show. */
import { describe, expect, test } from "bun:test";
import { fail } from "../../../../src/base/errors.ts";
import type { EventView } from "../../../../src/host/deliveries/feed.ts";
import { until } from "../../../harness.ts";
import { deployData, describeDelivery, startRig } from "../event-rig.ts";

/** Reads on in the background. */
function reader(items: AsyncIterable<EventView>) {
  const seen: EventView[] = [];
  const ended = (async () => {
    for await (const item of items) seen.push(item);
  })();
  return { seen, ended };
}

describe("list and find", () => {
  test("show the event's own fields as data, and its deliveries by plugin", async () => {
    await using rig = startRig(
      new Map([
        ["b", { run() {} }],
        ["a", { run() {} }],
      ]),
    );
    const { id, at } = rig.emit("web");
    await rig.becomes(id, "b", "done 1");
    await rig.becomes(id, "a", "done 1");
    const done = { state: "done", attempts: 1, error: null };
    const view = {
      id,
      hook: "on_deploy_success",
      at,
      data: deployData("web"),
      deliveries: [
        { plugin: "a", ...done },
        { plugin: "b", ...done },
      ],
    };
    expect(JSON.parse(JSON.stringify(rig.feed.list(10)))).toEqual([view]);
    expect(JSON.parse(JSON.stringify(rig.feed.find(id)))).toEqual(view);
  });

  test("find gives nothing for an id that does not exist", async () => {
    await using rig = startRig();
    expect(rig.feed.find("x")).toBeUndefined();
  });

  test("list gives the newest, oldest of them first, of one hook where it is named", async () => {
    await using rig = startRig();
    rig.emit("1");
    rig.emit("2", "on_deploy_start");
    rig.emit("3");
    expect(rig.feed.list(2).map((view) => view.data["service"])).toEqual(["2", "3"]);
    expect(rig.feed.list(9, "on_deploy_success").map((view) => view.data["service"])).toEqual(["1", "3"]);
  });
});

describe("follow", () => {
  test("shows an event that happens, and again with what became of its deliveries", async () => {
    let broken = true;
    const plugin = {
      run() {
        if (broken) throw fail("plugin.failed", "boom");
      },
    };
    await using rig = startRig(new Map([["a", plugin]]));
    rig.emit("before");
    await until(() => rig.feed.list(1)[0]?.deliveries[0]?.attempts === 1);
    broken = false;
    const stop = new AbortController();
    const { seen, ended } = reader(rig.feed.follow(undefined, stop.signal));
    await rig.clock.advance(1_000);
    const { id } = rig.emit("web");
    await until(() => seen.some((view) => view.id === id && describeDelivery(view, "a") === "done 1"));
    const before = seen.find((view) => view.data["service"] === "before");
    expect(describeDelivery(before, "a")).toBe("done 2");
    stop.abort();
    await ended;
  });

  test("shows gates while they are asked", async () => {
    const answers: (() => void)[] = [];
    const gate = { gate: true, run: () => new Promise<void>((resolve) => answers.push(resolve)) };
    await using rig = startRig(new Map([["gate", gate]]));
    const stop = new AbortController();
    const { seen, ended } = reader(rig.feed.follow("on_deploy_start", stop.signal));
    const announced = rig.events.announce("on_deploy_start", deployData("web"), stop.signal);
    await until(() => seen.some((view) => describeDelivery(view, "gate") === "pending 0"));
    answers[0]?.();
    await announced;
    await until(() => describeDelivery(seen.at(-1), "gate") === "done 1");
    stop.abort();
    await ended;
  });

  test("shows only the hook that was asked for", async () => {
    await using rig = startRig();
    const stop = new AbortController();
    const { seen, ended } = reader(rig.feed.follow("on_deploy_start", stop.signal));
    rig.emit("1");
    rig.emit("2", "on_deploy_start");
    await until(() => seen.length > 0);
    expect(seen.map((view) => view.data["service"])).toEqual(["2"]);
    stop.abort();
    await ended;
  });

  test("misses nothing between the call and the first read, and a slow reader gets each event's last state", async () => {
    await using rig = startRig(new Map([["a", { run() {} }]]));
    const stop = new AbortController();
    const items = rig.feed.follow(undefined, stop.signal);
    const ids = Array.from({ length: 300 }, (_, i) => rig.emit(String(i)).id);
    await rig.becomes(ids.at(-1) ?? "", "a", "done 1");
    const { seen, ended } = reader(items);
    await until(() => seen.length === 300);
    expect(seen.map((view) => view.id)).toEqual(ids);
    expect(seen.every((view) => describeDelivery(view, "a") === "done 1")).toBe(true);
    stop.abort();
    await ended;
  });

  test("ends at once where the signal was aborted before", async () => {
    await using rig = startRig();
    const { seen, ended } = reader(rig.feed.follow(undefined, AbortSignal.abort()));
    await ended;
    expect(seen).toEqual([]);
  });

  test("ends when its reader goes away", async () => {
    await using rig = startRig();
    const items = rig.feed.follow(undefined, new AbortController().signal)[Symbol.asyncIterator]();
    const first = items.next();
    rig.emit("1");
    expect((await first).value.data.service).toBe("1");
    expect(await items.return?.()).toMatchObject({ done: true });
  });
});
