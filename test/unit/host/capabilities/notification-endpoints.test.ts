import { describe, expect, test } from "bun:test";
import { isOwnEndpoint, isPublicEndpoint } from "../../../../src/host/capabilities/notification-endpoints.ts";
import { parseTarget } from "../../../../src/platform/http/target.ts";

describe("isPublicEndpoint", () => {
  test.each([
    "https://hooks.slack.com/services/T0/B0/x",
    "https://hooks.slack.com/workflows/T0/A0/1/x",
    "https://hooks.slack-gov.com/services/T0/B0/x",
    "https://HOOKS.SLACK.COM./services/T0/B0/x",
    "https://hooks.slack.com:443/triggers/T0/1/x",
    "https://discord.com/api/webhooks/1/x",
    "https://discord.com/api/v10/webhooks/1/x?wait=true",
    "https://discordapp.com/api/webhooks/1/x",
    "https://ptb.discord.com/api/webhooks/1/x",
    "https://outlook.office.com/webhook/x/IncomingWebhook/y",
    "https://contoso.webhook.office.com/webhookb2/x",
    "https://chat.googleapis.com/v1/spaces/AAA/messages?key=k",
    "https://api.telegram.org/bot1:x/sendMessage",
    "https://events.pagerduty.com/v2/enqueue",
    "https://api.eu.opsgenie.com/v2/alerts",
    "https://api.pushover.net/1/messages.json",
  ])("%s takes notifications by POST only", (url) => {
    expect(isPublicEndpoint(parseTarget(url), "POST")).toBe(true);
    expect(isPublicEndpoint(parseTarget(url), "GET")).toBe(false);
  });

  test.each([
    "http://hooks.slack.com/services/T0/B0/x",
    "https://hooks.slack.com:8443/services/T0/B0/x",
    "https://hooks.slack.com/",
    "https://hooks.slack.com/services/",
    "https://hooks.slack.com/api/x",
    "https://hooks.slack.com.evil.test/services/T0/B0/x",
    "https://evil.test/hooks.slack.com/services/T0/B0/x",
    "https://xhooks.slack.com/services/T0/B0/x",
    "https://hooks-slack.com/services/T0/B0/x",
    "https://slack.com/api/chat.postMessage",
    "https://discord.com/api/users/@me",
    "https://discord.com/api/webhooks/../users/@me",
    "https://discord.com/api/webhooks/%2e%2e/users/@me",
    "https://evil.discord.com/api/webhooks/1/x",
    "https://a.b.webhook.office.com/webhookb2/x",
    "https://webhook.office.com/webhookb2/x",
    "https://chat.googleapis.com/v1/spaces",
    "https://chat.googleapis.com/v1/spaces/A/messages/B",
    "https://api.telegram.org/bot1:x/getUpdates",
    "https://events.pagerduty.com/v2/change",
    "https://hooks.zapier.com/hooks/catch/1/x",
    "https://example.com/",
  ])("%s is no notification endpoint", (url) => {
    expect(isPublicEndpoint(parseTarget(url), "POST")).toBe(false);
  });
});

describe("isOwnEndpoint", () => {
  const own = [{ channel: "ops", url: "https://hook.internal:8443/a/b?token=1" }];

  test.each([
    ["https://hook.internal:8443/a/b", true],
    ["https://hook.internal:8443/a/b?other=1", true],
    ["https://HOOK.internal.:8443/a/x/../b", true],
    ["https://hook.internal:8443/a/b/", false],
    ["https://hook.internal:8443/a", false],
    ["https://hook.internal/a/b", false],
    ["http://hook.internal:8443/a/b", false],
    ["https://other.internal:8443/a/b", false],
  ])("%s: %p", (url, expected) => {
    expect(isOwnEndpoint(parseTarget(url), own)).toBe(expected);
  });
});
