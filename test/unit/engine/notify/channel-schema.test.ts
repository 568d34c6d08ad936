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
    [{ type: "pager", url }, 'type = "webhook", "slack", "discord" or "email"'],
    [{ url }, 'type = "webhook", "slack", "discord" or "email"'],
    [{ type: "webhook", url: "s3cret" }, "an http or https URL without user and password"],
    [{ type: "webhook", url: "ftp://a.test/s3cret" }, "an http or https URL without user and password"],
    [{ type: "slack", url: "https://user:s3cret@a.test/" }, "an http or https URL without user and password"],
    [{ type: "webhook", url, headers: { Host: "s3cret" } }, "headers that the daemon does not set itself"],
    [{ type: "webhook", url, headers: { "X-A": "s3cret\n" } }, "headers that the daemon does not set itself"],
    [{ type: "webhook", url, secret: "" }, "a text that is not empty"],
    [{ type: "slack" }, "url or url_file, one of them"],
    [{ type: "discord", url, url_file: "/run/s3cret" }, "url or url_file, one of them"],
    [{ type: "slack", url_file: "s3cret" }, "an absolute path"],
    [
      { type: "webhook", url, secret: "s3cret", secret_file: "/run/s3cret" },
      "secret or secret_file, not both",
    ],
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
    { type: "slack", url_file: 1 },
    "slack",
    null,
  ])("refuses %j", (channel) => {
    expect(safeParse(channelSchema, channel).success).toBe(false);
  });
});

describe("templates", () => {
  const webhook = { type: "webhook", url };

  test.each([
    [{ ...webhook, body: '{"a": {"b": "{{ text }}", "{{from}}": ["{{title}}"]}}' }],
    [{ ...webhook, body: "{{title}}: {{text}}", headers: { "content-type": "text/plain; charset=utf-8" } }],
    [
      {
        ...webhook,
        body: "message={{text}}",
        headers: { "Content-Type": "application/x-www-form-urlencoded" },
      },
    ],
    [{ type: "slack", url, title: "", text: "<!here> {{text}} on {{host}} at {{at}} ({{id}})" }],
    [{ type: "discord", url, title: "{{severity}} {{channel}}" }],
  ])("%j is taken", (channel) => {
    expect(safeParse(channelSchema, channel).issues).toBeUndefined();
  });

  test.each([
    [{ type: "slack", url, text: "{{sevrity}}" }, "{{sevrity}} is none: did you mean severity?"],
    [{ type: "slack", url, text: "{{password}}" }, "{{password}} is none: there are: title, text, severity"],
    [{ type: "slack", url, text: "{{}}" }, "{{}} is none"],
    [{ type: "slack", url, text: "{{text" }, "a }} after each {{"],
    [{ type: "slack", url, text: "{{constructor}}" }, "{{constructor}} is none"],
    [{ type: "slack", url, text: "x".repeat(8001) }, "a template of at most 8000 characters"],
    [{ type: "slack", url, text: "{{id}}".repeat(51) }, "at most 50 placeholders"],
    [{ ...webhook, body: '{"text": {{text}}}' }, "a body that is JSON, with placeholders between quotes"],
    [{ ...webhook, body: '{"text": "\\{{text}}"}' }, "a body that is JSON"],
    [{ ...webhook, body: "{{text}}" }, "a body that is JSON"],
    [
      { ...webhook, body: "<a/>", headers: { "Content-Type": "text/xml" } },
      "with a body, a Content-Type that",
    ],
    [{ type: "slack", url, body: "{}" }, "Invalid key"],
  ])("%j is refused", (channel, message) => {
    const result = safeParse(channelSchema, channel);
    expect(result.issues?.[0].message).toContain(message);
    expect(result.issues?.[0].message).not.toContain("s3cret");
  });
});

describe("an email channel", () => {
  const mail = { type: "email", host: "smtp.example.com", from: "a@example.com", to: ["b@example.com"] };
  const login = { username: "u", password: "s3cret" };

  test.each([
    [mail],
    [{ ...mail, ...login, port: 2525, tls: "tls", ca_file: "/etc/ca.pem" }],
    [{ ...mail, username: "u", password_file: "/run/smtp" }],
    [
      {
        ...mail,
        from: "The operator's <ops+x@example.co.uk>",
        to: ["root@localhost", "Übung <b@example.com>"],
      },
    ],
    [{ ...mail, host: "10.0.0.5" }],
    [{ ...mail, host: "::1", tls: "none", ...login }],
    [{ ...mail, host: "127.0.0.2", tls: "none", ...login }],
    [{ ...mail, host: "localhost", tls: "none", ...login }],
    [{ ...mail, host: "relay.internal", tls: "none" }],
  ])("%j is taken", (channel) => {
    expect(safeParse(channelSchema, channel).issues).toBeUndefined();
  });

  test("encrypts unless told otherwise", () => {
    const { output } = safeParse(channelSchema, mail);
    expect(output).toMatchObject({ tls: "starttls", from: { address: "a@example.com" } });
  });

  test.each([
    [{ ...mail, ...login, tls: "none" }, 'tls = "starttls" or "tls": a password is not sent unencrypted'],
    [{ ...mail, ...login, tls: "none", host: "localhost.example.com" }, "a password is not sent unencrypted"],
    [{ ...mail, ...login, tls: "no" }, '"starttls", "tls" or "none"'],
    [{ ...mail, username: "u" }, "username together with password or password_file"],
    [{ ...mail, password: "s3cret" }, "username together with"],
    [{ ...mail, ...login, password_file: "/x" }, "username together with"],
    [{ ...mail, ...login, password: "" }, "a text that is not empty"],
    [{ ...mail, username: "u", password_file: "s3cret" }, "an absolute path"],
    [{ ...mail, host: "smtp.example.com:25" }, "a host name or an address"],
    [{ ...mail, host: "127.1" }, "a host name or an address"],
    [{ ...mail, host: "a b" }, "a host name or an address"],
    [{ ...mail, port: 0 }, "a port from 1 to 65535"],
    [{ ...mail, to: [] }, "at least one mail address"],
    [{ ...mail, to: "b@example.com" }, "a list of mail addresses"],
    [{ ...mail, to: ["b@example.com\r\nBcc: c@example.com"] }, "a mail address such as"],
    [{ ...mail, from: "a@example.com, c@example.com" }, "a mail address such as"],
    [{ ...mail, from: "A\n <a@example.com>" }, "a mail address such as"],
    [{ ...mail, from: "<a@example.com> x" }, "a mail address such as"],
    [{ ...mail, from: "a@b@example.com" }, "a mail address such as"],
    [{ ...mail, text: "{{nope}}" }, "{{nope}} is none"],
  ])("%j is refused", (channel, message) => {
    const result = safeParse(channelSchema, channel);
    expect(result.issues?.[0].message).toContain(message);
    expect(result.issues?.[0].message).not.toContain("s3cret");
  });
});
