import { describe, expect, test } from "bun:test";
import { createHmac } from "node:crypto";
import type { Channel } from "../../../../src/engine/notify/channel-schema.ts";
import { cleanNotification, type Notification } from "../../../../src/engine/notify/notification.ts";
import { payloadFor } from "../../../../src/engine/notify/payload.ts";

const envelope = { channel: "ops", id: "018f-1", atMs: Date.UTC(2026, 0, 1) };
const message: Notification = { from: "ding", title: "Up", text: "web is live", severity: "info" };

function bodyOf(channel: Channel, notification: Notification = message): unknown {
  return JSON.parse(new TextDecoder().decode(payloadFor(channel, notification, envelope).body));
}

describe("a webhook", () => {
  const webhook = { type: "webhook", url: "https://a.test/", headers: {} } as const;

  test("gets the message with its channel, sender, time and id", () => {
    expect(bodyOf(webhook)).toEqual({
      id: "018f-1",
      at: "2026-01-01T00:00:00.000Z",
      channel: "ops",
      from: "ding",
      title: "Up",
      text: "web is live",
      severity: "info",
    });
  });

  test("with a secret is signed over time and body", () => {
    const { headers, body } = payloadFor({ ...webhook, secret: "key" }, message, envelope);
    const found = Object.fromEntries(headers);
    const seconds = String(envelope.atMs / 1000);
    expect(found["x-voxeltron-timestamp"]).toBe(seconds);
    const expected = createHmac("sha256", "key").update(`${seconds}.`).update(body).digest("hex");
    expect(found["x-voxeltron-signature"]).toBe(`sha256=${expected}`);
  });

  test("the operator's own headers take the place of ours", () => {
    const { headers } = payloadFor(
      { ...webhook, headers: { "Content-Type": "a/b", X: "1" } },
      message,
      envelope,
    );
    expect(headers).toEqual([
      ["x-voxeltron-delivery", "018f-1"],
      ["Content-Type", "a/b"],
      ["X", "1"],
    ]);
  });
});

describe("slack", () => {
  const slack = { type: "slack", url: "https://a.test/" } as const;

  test("gets title and text", () => {
    expect(bodyOf(slack)).toEqual({ text: "*Up*\nweb is live" });
    expect(bodyOf(slack, { from: "ding", text: "x", severity: "error" })).toEqual({ text: ":x: x" });
  });

  test("nobody can be called out and no link hidden", () => {
    expect(
      bodyOf(slack, { ...message, title: "<!here>", text: "<!channel> <https://evil.test|Bank> &" }),
    ).toEqual({
      text: "*&lt;!here&gt;*\n&lt;!channel&gt; &lt;https://evil.test|Bank&gt; &amp;",
    });
  });
});

describe("discord", () => {
  const discord = { type: "discord", url: "https://a.test/" } as const;

  test("gets an embed, and nobody can be called out", () => {
    expect(bodyOf(discord, { ...message, text: "@everyone" })).toEqual({
      embeds: [{ title: "Up", description: "@everyone", color: 0x2eb67d }],
      allowed_mentions: { parse: [] },
    });
  });
});

describe("cleanNotification", () => {
  test("strips what can't be seen, keeps lines, cuts the title", () => {
    const clean = cleanNotification({
      from: "ding",
      title: `a\u001b[31m${"x".repeat(300)}`,
      text: "one\r\ntwo\u202e\u0007\n\nthree",
      severity: "info",
    });
    expect(clean.title?.length).toBe(200);
    expect(clean.title).toStartWith("a[31mx");
    expect(clean.text).toBe("one\ntwo\n\nthree");
  });
});
