import { describe, expect, test } from "bun:test";
import { createHmac } from "node:crypto";
import type { HttpChannel } from "../../../../src/engine/notify/channel-schema.ts";
import { cleanNotification, type Notification } from "../../../../src/engine/notify/notification.ts";
import { payloadFor } from "../../../../src/engine/notify/payload.ts";

const envelope = { channel: "ops", host: "box", id: "018f-1", atMs: Date.UTC(2026, 0, 1) };
const message: Notification = { from: "ding", title: "Up", text: "web is live", severity: "info" };

function bodyOf(channel: HttpChannel, notification: Notification = message): unknown {
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

  test("shows a link that would hide where it leads as it was written", () => {
    const hidden = { ...message, text: "[Bank](https://evil.test)" };
    expect(bodyOf(discord, hidden)).toMatchObject({
      embeds: [{ description: "[Bank]\\(https://evil.test)" }],
    });
  });

  test("gets an embed, and nobody can be called out", () => {
    expect(bodyOf(discord, { ...message, text: "@everyone" })).toEqual({
      embeds: [{ title: "Up", description: "@everyone", color: 0x2eb67d }],
      allowed_mentions: { parse: [] },
    });
  });
});

describe("templates", () => {
  const hostile: Notification = {
    from: "ding",
    title: "{{host}} <!here>",
    text: '"},"admin":"\\ [Bank](https://evil.test)\n{{channel}} &',
    severity: "error",
  };

  test("a JSON body takes every value as text, and no value is a template", () => {
    const channel = {
      type: "webhook",
      url: "https://a.test/",
      headers: {},
      body: '{"msg":"{{text}}","n":12345678901234567890,"by":"{{from}}@{{ host }}","t":["{{title}}"],"s":"{{severity}}"}',
    } as const;
    const { headers, body } = payloadFor(channel, hostile, envelope);
    const text = new TextDecoder().decode(body);
    expect(JSON.parse(text)).toMatchObject({
      msg: hostile.text,
      by: "ding@box",
      t: ["{{host}} <!here>"],
      s: "error",
    });
    expect(Object.keys(JSON.parse(text) as object)).toEqual(["msg", "n", "by", "t", "s"]);
    expect(text).toContain("12345678901234567890");
    expect(headers).toContainEqual(["content-type", "application/json"]);
  });

  test.each([
    ["text/plain", "{{text}}", hostile.text],
    [
      "text/html",
      "<b>{{text}}</b>",
      `<b>&quot;},&quot;admin&quot;:&quot;\\ [Bank](https://evil.test)\n{{channel}} &amp;</b>`,
    ],
    ["application/x-www-form-urlencoded", "a=1&m={{text}}", `a=1&m=${encodeURIComponent(hostile.text)}`],
  ])("a body of %s takes values in its own way", (type, template, expected) => {
    const channel = {
      type: "webhook",
      url: "https://a.test/",
      headers: { "Content-Type": type },
      body: template,
    } as const;
    const { headers, body } = payloadFor(channel, hostile, envelope);
    expect(new TextDecoder().decode(body)).toBe(expected);
    expect(headers.filter(([name]) => name.toLowerCase() === "content-type")).toEqual([
      ["Content-Type", type],
    ]);
  });

  test("a body of its own is what the signature covers", () => {
    const channel = {
      type: "webhook",
      url: "https://a.test/",
      headers: {},
      body: '["{{text}}"]',
      secret: "key",
    } as const;
    const { headers, body } = payloadFor(channel, message, envelope);
    const expected = createHmac("sha256", "key")
      .update(`${envelope.atMs / 1000}.["web is live"]`)
      .digest("hex");
    expect(new TextDecoder().decode(body)).toBe('["web is live"]');
    expect(headers).toContainEqual(["x-voxeltron-signature", `sha256=${expected}`]);
  });

  test("in Slack the operator may call out a room, and the plugin may not", () => {
    const channel = {
      type: "slack",
      url: "https://a.test/",
      title: "",
      text: "<!channel> {{title}}",
    } as const;
    expect(bodyOf(channel, hostile)).toEqual({ text: "<!channel> {{host}} &lt;!here&gt;" });
  });

  test("a webhook without a body takes the operator's title and text", () => {
    const channel = {
      type: "webhook",
      url: "https://a.test/",
      headers: {},
      title: "[{{host}}] {{title}}",
    } as const;
    expect(bodyOf(channel)).toMatchObject({ title: "[box] Up", text: "web is live" });
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
