import { describe, expect, test } from "bun:test";
import type { Caller } from "../../../../src/host/capabilities/method.ts";
import { makeNotifyRate } from "../../../../src/host/capabilities/notify-rate.ts";
import {
  notifyMethods,
  type ChannelMessage,
  type ChannelSender,
} from "../../../../src/host/capabilities/notify.ts";
import { fakeClock } from "../../../harness.ts";
import { rejection } from "../../../fixtures/rejection.ts";
import { runMethod } from "../../../fixtures/run-method.ts";

function setUp(scope: readonly string[] | null) {
  const sent: (readonly [string, ChannelMessage])[] = [];
  const sender: ChannelSender = {
    channels: () => ["dev", "ops", "we;ird"],
    send: async (channel, message) => {
      sent.push([channel, message]);
    },
  };
  const [method] = notifyMethods(sender, makeNotifyRate({ clock: fakeClock(), perMinute: () => 30 }));
  if (method === undefined) throw new Error("no method");
  const send = async (channel: unknown, message: unknown): Promise<unknown> => {
    const caller: Caller = {
      plugin: "ding",
      grants: new Map([["notify_send", scope]]),
      requested: new Set(["notify_send"]),
      optional: new Set(),
      withheld: new Set(),
    };
    return runMethod(method, caller, { channel, message });
  };
  return { sent, send };
}

describe("notify.send", () => {
  test("passes a text or a message on, under the plugin's name", async () => {
    const { send, sent } = setUp(null);
    await send("ops", "hello");
    await send("dev", { title: "T", text: "x", severity: "error" });
    expect(sent).toEqual([
      ["ops", { from: "ding", text: "hello", severity: "info" }],
      ["dev", { from: "ding", title: "T", text: "x", severity: "error" }],
    ]);
  });

  test("a channel outside of the scope is refused with the command that adds only it", async () => {
    const { send, sent } = setUp(["dev"]);
    expect(await rejection(send("ops", "x"))).toMatchObject({
      code: "capability.out_of_scope",
      hint: "to allow only that: voxeltron plugin grant ding notify_send=dev,ops",
    });
    await send("dev", "x");
    expect(sent.map(([channel]) => channel)).toEqual(["dev"]);
  });

  test("an empty scope allows nothing", async () => {
    expect(await rejection(setUp([]).send("ops", "x"))).toMatchObject({ code: "capability.out_of_scope" });
  });

  test("a name that would need quotes in a shell never stands in the command", async () => {
    for (const name of ["we;ird", "$(reboot)", "nope"])
      expect(await rejection(setUp(["dev"]).send(name, "x"))).toMatchObject({
        hint: "to allow it: voxeltron plugin grant ding notify_send",
      });
  });

  test("a plugin that sends more than its share is told when it may go on, and nothing is sent", async () => {
    const { send, sent } = setUp(null);
    for (let i = 0; i < 10; i++) await send("ops", "x");
    expect(await rejection(send("ops", "one more"))).toMatchObject({
      code: "capability.limit",
      message: "plugin ding sends more than 30 notifications a minute; there is room again in 2000 ms",
    });
    expect(sent).toHaveLength(10);
  });

  test("a call that is refused for its channel uses up nothing", async () => {
    const { send, sent } = setUp(["dev"]);
    for (let i = 0; i < 50; i++) await rejection(send("ops", "x"));
    await send("dev", "x");
    expect(sent).toHaveLength(1);
  });

  test("an unknown channel names those that exist within the scope", async () => {
    expect(await rejection(setUp(null).send("opps", "x"))).toMatchObject({
      code: "notify.unknown_channel",
      message: 'no channel is called "opps"; there are: dev, ops, we;ird',
    });
    expect(await rejection(setUp(["dev", "gone"]).send("gone", "x"))).toMatchObject({
      message: 'no channel is called "gone"; there are: dev',
    });
  });

  test.each([
    ["ops", ""],
    ["ops", "x".repeat(4001)],
    ["ops", {}],
    ["ops", { text: 1 }],
    ["ops", { text: "x", severity: "fatal" }],
    ["ops", { text: "x", title: "x".repeat(201) }],
    ["ops", { text: "x", extra: 1 }],
    ["ops", ["x"]],
    [1, "x"],
    ["x".repeat(101), "x"],
  ])("the parameters %j, %j are refused", async (channel, message) => {
    expect(await rejection(setUp(null).send(channel, message))).toHaveProperty("message", "invalid");
  });
});
