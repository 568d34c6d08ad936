import { describe, expect, test } from "bun:test";
import { safeParse } from "valibot";
import { channelSchema } from "../../../../src/engine/notify/channel-schema.ts";

const url = "https://example.com/hook?token=s3cret";

describe("channelSchema", () => {
  test.each([
    [{ type: "webhook", url }],
    [{ type: "webhook", url: "http://10.0.0.5:8080/x", headers: { Authorization: "Bearer x" }, secret: "k" }],
    [{ type: "slack", url }],
    [{ type: "discord", url }],
  ])("takes %j", (channel) => {
    expect(safeParse(channelSchema, channel).success).toBe(true);
  });

  test.each([
    [{ type: "email", url }, 'type = "webhook", "slack" or "discord"'],
    [{ url }, 'type = "webhook", "slack" or "discord"'],
    [{ type: "webhook", url: "s3cret" }, "an http or https URL without user and password"],
    [{ type: "webhook", url: "ftp://a.test/s3cret" }, "an http or https URL without user and password"],
    [{ type: "slack", url: "https://user:s3cret@a.test/" }, "an http or https URL without user and password"],
    [{ type: "webhook", url, headers: { Host: "s3cret" } }, "headers that the daemon does not set itself"],
    [{ type: "webhook", url, headers: { "X-A": "s3cret\n" } }, "headers that the daemon does not set itself"],
    [{ type: "webhook", url, secret: "" }, "a text that is not empty"],
  ])("refuses %j and repeats no value of it", (channel, message) => {
    const result = safeParse(channelSchema, channel);
    expect(result.success).toBe(false);
    expect(result.issues?.[0].message).toStartWith(message);
    expect(result.issues?.[0].message).not.toContain("s3cret");
  });

  test.each([
    { type: "slack", url, secret: "k" },
    { type: "webhook", url, extra: 1 },
    { type: "slack" },
    "slack",
    null,
  ])("refuses %j", (channel) => {
    expect(safeParse(channelSchema, channel).success).toBe(false);
  });
});
