/** Email channels against a real SMTP server, and against servers that are none. */
import { describe, expect, test } from "bun:test";
import { createServer, type AddressInfo, type Socket } from "node:net";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "valibot";
import { systemClock, type Clock } from "../../../../src/base/clock.ts";
import { silentLog, type Log } from "../../../../src/base/log.ts";
import { channelSchema } from "../../../../src/engine/notify/channel-schema.ts";
import type { Notification } from "../../../../src/engine/notify/notification.ts";
import { makeNotify } from "../../../../src/engine/notify/notify.ts";
import { makeHttpClient } from "../../../../src/platform/http/http-client.ts";
import { makeHttpOpener } from "../../../../src/platform/http/open-http.ts";
import { makeSmtpClient } from "../../../../src/platform/smtp/smtp-client.ts";
import { makeCertificate } from "../../../certificate.ts";
import { rejection } from "../../../fixtures/rejection.ts";
import { tempDir, until } from "../../../harness.ts";
import { answer, mailServer } from "../../../mail-server.ts";

const message: Notification = { from: "ding", title: "Up", text: "web is live", severity: "info" };
const certificate = makeCertificate("mail.test", "127.0.0.1");
const { cert, key } = certificate;

/** Pauses at once, the rest in real time. */
const hastyClock: Clock = { ...systemClock, sleep: async (_ms, signal) => signal?.throwIfAborted() };

interface Options {
  readonly clock?: Clock;
  readonly addresses?: readonly string[];
}

function setUp(
  port: number,
  channel: object,
  { clock = hastyClock, addresses = ["127.0.0.1"] }: Options = {},
) {
  const logged: unknown[] = [];
  const line = (text: string, fields?: unknown): unknown => logged.push([text, fields]);
  const log = { ...silentLog, debug: line, info: line, warn: line, error: line } as Log;
  const powers = { resolve: async () => addresses, clock };
  const mail = parse(channelSchema, {
    type: "email",
    host: "mail.test",
    port,
    from: "Vox <vox@example.com>",
    to: ["ops@example.com"],
    ...channel,
  });
  const notify = makeNotify({
    channels: () => ({ mail }),
    host: "box",
    http: makeHttpClient(makeHttpOpener(powers), clock),
    smtp: makeSmtpClient(powers),
    clock,
    log,
  });
  return {
    logged,
    send: (text: Notification = message, signal?: AbortSignal) => notify.send("mail", text, signal),
  };
}

/** Folded lines made one. */
function headersOf(mail: string): readonly string[] {
  return (mail.split("\r\n\r\n")[0] ?? "").replaceAll(/\r\n[ \t]+/g, " ").split("\r\n");
}

/** A folder with the authority's certificate and a password. */
async function files() {
  const dir = tempDir();
  const ca = join(dir.path, "ca.pem");
  const password = join(dir.path, "password");
  writeFileSync(ca, cert);
  writeFileSync(password, "right\n");
  return { dir, ca, password };
}

/** Says each of `lines` once the peer has said something, the first at once. */
async function scripted(
  answerLine: (line: string, socket: Socket) => string | undefined,
  greeting = "220 mail.test\r\n",
) {
  const received: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.write(greeting);
    socket.on("data", (data) => {
      for (const line of data
        .toString("latin1")
        .split("\r\n")
        .filter((each) => each !== "")) {
        received.push(line);
        const said = answerLine(line, socket);
        if (said !== undefined) socket.write(said);
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    received,
    opened: () => sockets.size,
    closed: () => [...sockets].every((socket) => socket.closed),
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

describe("a mail", () => {
  test.each(["starttls", "tls"] as const)(
    "goes out encrypted with %s, logged in, to all recipients",
    async (tls) => {
      await using server = await mailServer({ secure: tls === "tls", key, cert });
      const { dir, ca, password } = await files();
      await using _ = dir;
      const login = { username: "vox", password_file: password, ca_file: ca };
      const { send } = setUp(server.port, {
        tls,
        ...login,
        to: ["ops@example.com", "Dev <dev@example.com>"],
      });
      expect(await send()).toEqual({ channel: "mail", type: "email", attempts: 1, refused: 0 });
      expect(server.logins).toEqual([{ username: "vox", password: "right", secure: true }]);
      expect(server.envelopes).toEqual([
        { from: "vox@example.com", to: ["ops@example.com", "dev@example.com"] },
      ]);
      const mail = server.messages[0] ?? "";
      const headers = headersOf(mail);
      expect(headers).toContain("From: Vox <vox@example.com>");
      expect(headers).toContain("To: ops@example.com, Dev <dev@example.com>");
      expect(headers).toContain("Subject: Up");
      expect(headers).toContain("Auto-Submitted: auto-generated");
      expect(headers).toContain("X-Voxeltron-Channel: mail");
      expect(headers).toContain("X-Voxeltron-From: ding");
      expect(headers).toContain("X-Voxeltron-Severity: info");
      const id = headers.find((line) => line.startsWith("X-Voxeltron-Delivery: "))?.slice(22);
      expect(headers).toContain(`Message-ID: <${id}@example.com>`);
      const date = headers.find((line) => line.startsWith("Date: "))?.slice(6) ?? "";
      expect(date).toMatch(/^\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d \+0000$/);
      expect(Math.abs(Date.parse(date) - Date.now())).toBeLessThan(60_000);
      expect(mail.split("\r\n\r\n")[1]).toBe("web is live\r\n");
    },
  );

  test("to this machine may go unencrypted, also with a password", async () => {
    await using server = await mailServer({ hideSTARTTLS: true, allowInsecureAuth: true });
    const { send } = setUp(server.port, { host: "localhost", tls: "none", username: "u", password: "right" });
    await send();
    expect(server.logins).toEqual([{ username: "u", password: "right", secure: false }]);
    expect(server.messages).toHaveLength(1);
  });

  test("is worded by the operator's templates", async () => {
    await using server = await mailServer({ authOptional: true });
    const { send } = setUp(server.port, {
      tls: "none",
      title: "[{{host}}] {{title}} {{text}}",
      text: "{{from}} says at {{severity}}:\n{{text}}",
    });
    await send({ ...message, text: "one\n{{host}}" });
    const mail = server.messages[0] ?? "";
    expect(headersOf(mail)).toContain("Subject: [box] Up one {{host}}");
    expect(mail).toEndWith("\r\n\r\nding says at info:\r\none\r\n{{host}}\r\n");
  });

  test("without a title has the first line as its subject, and says how grave it is", async () => {
    await using server = await mailServer({ authOptional: true });
    await setUp(server.port, { tls: "none" }).send({
      from: "ding",
      text: "\nfirst\nsecond",
      severity: "error",
    });
    expect(headersOf(server.messages[0] ?? "")).toContain("Subject: [error] first");
  });
});

describe("what a plugin writes", () => {
  const attacks: readonly (readonly [name: string, title: string])[] = [
    ["a line end", "x\r\nBcc: evil@example.com"],
    ["a bare line feed", "x\nBcc: evil@example.com"],
    ["a bare carriage return", "x\rBcc: evil@example.com"],
    ["other line ends", "x\u0085Bcc: evil@example.com\u2028Bcc: evil@example.com\u000bBcc: e@example.com"],
    ["an end of the headers", "x\r\n\r\nA body of its own"],
    ["an encoded word", "=?utf-8?q?x=0d=0aBcc:_evil@example.com?="],
    ["encoded words side by side", "=?utf-8?b?eA0KQmNj?= =?utf-8?b?OiBl?="],
    ["text that turns around", "safe \u202etxt.exe\u202c \u2066x\u2069"],
    ["a NUL", "x\0Bcc: evil@example.com"],
  ];
  test.each(attacks)("begins no header with %s in the title", async (_name, title) => {
    await using server = await mailServer({ authOptional: true });
    await setUp(server.port, { tls: "none" }).send({ ...message, title });
    const mail = server.messages[0] ?? "";
    const names = headersOf(mail).map((line) => line.split(":")[0]);
    expect(new Set(names)).toEqual(OUR_HEADERS);
    expect(names).toHaveLength(OUR_HEADERS.size);
    expect(server.envelopes).toEqual([{ from: "vox@example.com", to: ["ops@example.com"] }]);
    expect(mail).toEndWith("\r\n\r\nweb is live\r\n");
    const subject =
      headersOf(mail)
        .find((line) => line.startsWith("Subject: "))
        ?.slice(9) ?? "";
    const shown = decodeWords(subject);
    // What the reader sees is what was written, but for what can't be seen; never what an encoded word would turn it into.
    expect(shown).not.toMatch(/[\p{Cc}\p{Cf}\u2028\u2029]/u);
    if (title.includes("=?")) expect(shown).toBe(title);
    expect(subject.replaceAll(/=\?UTF-8\?[BQ]\?[^?]*\?=/g, "")).not.toContain("=?");
  });

  test.each([
    ["ends no message with a dot", "one\r\n.\r\nMAIL FROM:<evil@example.com>\r\nthree"],
    ["ends no message with a bare dot line", "one\n.\nMAIL FROM:<evil@example.com>\nthree"],
    ["ends no message with mixed line ends", "one\r.\n\r.\r\n.\rthree"],
  ])("%s in the text", async (_name, text) => {
    await using server = await mailServer({ authOptional: true });
    await setUp(server.port, { tls: "none" }).send({ ...message, text });
    expect(server.messages).toHaveLength(1);
    expect(server.messages[0]).toEndWith("\r\nthree\r\n");
    expect(server.envelopes).toEqual([{ from: "vox@example.com", to: ["ops@example.com"] }]);
  });

  test("may be in any script, and four thousand characters long", async () => {
    await using server = await mailServer({ authOptional: true });
    const text = "日本語 é ".repeat(500);
    await setUp(server.port, { tls: "none" }).send({ ...message, title: "Größe — 日本語", text });
    const mail = server.messages[0] ?? "";
    expect(decodeWords(headersOf(mail).find((line) => line.startsWith("Subject:")) ?? "")).toBe(
      "Subject: Größe — 日本語",
    );
    const body = mail.split("\r\n\r\n")[1] ?? "";
    expect(headersOf(mail)).toContain("Content-Transfer-Encoding: base64");
    expect(Buffer.from(body, "base64").toString("utf8").trim()).toBe(text.trim());
  });
});

describe("encryption", () => {
  test.each(["starttls", "tls"] as const)(
    "with %s to a server that nobody vouches for sends nothing",
    async (tls) => {
      await using server = await mailServer({ secure: tls === "tls", key, cert });
      const { send } = setUp(server.port, { tls, username: "u", password: "right" });
      expect(await rejection(send())).toMatchObject({
        code: "notify.failed",
        message: 'the channel "mail" (email) could not be reached: the certificate is self-signed',
        details: { attempts: 1 },
      });
      expect([server.logins, server.messages]).toEqual([[], []]);
    },
  );

  test.each(["starttls", "tls"] as const)(
    "with %s to a server of another name sends nothing",
    async (tls) => {
      await using server = await mailServer({ secure: tls === "tls", key, cert });
      const { dir, ca } = await files();
      await using _ = dir;
      const login = { tls, username: "u", password: "right", ca_file: ca };
      expect(await rejection(setUp(server.port, { ...login, host: "other.test" }).send())).toMatchObject({
        message: 'the channel "mail" (email) could not be reached: the certificate is for another name',
      });
      expect([server.logins, server.messages]).toEqual([[], []]);
      await setUp(server.port, { ...login, host: "127.0.0.1" }).send();
      expect(server.messages).toHaveLength(1);
    },
  );

  test("that was stripped from the server's answer is insisted on, and nothing is sent", async () => {
    await using server = await scripted((line) => {
      if (line.startsWith("EHLO")) return "250-mail.test\r\n250 AUTH PLAIN LOGIN\r\n";
      return line === "STARTTLS" ? "502 5.5.1 right s3cret\r\n" : "250 ok\r\n";
    });
    const { send } = setUp(server.port, { username: "u", password: "right" });
    expect(await rejection(send())).toMatchObject({
      code: "notify.failed",
      message:
        'the channel "mail" (email) refused to encrypt the connection, so nothing was sent (502 5.5.1)',
      details: { status: 502, attempts: 1 },
    });
    expect(server.received.map((line) => line.split(" ")[0])).toEqual(["EHLO", "STARTTLS"]);
    // Where the operator does not ask for it, the same server gets the mail.
    server.received.length = 0;
    await setUp(server.port, { tls: "none" }).send();
    expect(server.received.join("\n")).toContain("MAIL FROM:<vox@example.com>");
  });

  test("that a server says it begins and does not begin sends nothing", async () => {
    await using server = await scripted((line) => {
      if (line.startsWith("EHLO")) return "250-mail.test\r\n250-STARTTLS\r\n250 AUTH PLAIN\r\n";
      // What follows in the clear must not be taken for the encrypted server's answer.
      return line === "STARTTLS" ? "220 go\r\n250-mail.test\r\n250 AUTH PLAIN\r\n" : "250 ok\r\n";
    });
    const { send } = setUp(server.port, { username: "u", password: "right" });
    expect(await rejection(send())).toMatchObject({ code: "notify.failed" });
    const said = server.received.join("\n");
    expect(said).not.toMatch(/AUTH|MAIL|RCPT|DATA/);
    expect(said).not.toContain(Buffer.from("\0u\0right").toString("base64"));
  });

  test("that a server does not speak at all, on the port for it, sends nothing", async () => {
    await using server = await scripted(() => "250 ok\r\n");
    expect(await rejection(setUp(server.port, { tls: "tls" }).send())).toMatchObject({
      message: expect.stringContaining("no encrypted connection came about"),
    });
    expect(server.received.join("")).not.toContain("EHLO");
  });

  test("is not needed for a name of this machine, unless the name leads elsewhere after all", async () => {
    await using server = await mailServer({ hideSTARTTLS: true, allowInsecureAuth: true });
    const login = { host: "localhost", tls: "none", username: "u", password: "right" };
    const { send } = setUp(server.port, login, { addresses: ["192.0.2.1"] });
    expect(await rejection(send())).toMatchObject({
      message: 'the channel "mail" (email) would send its password unencrypted to another machine',
    });
    expect(server.connections()).toBe(0);
    await setUp(server.port, login).send();
    expect(server.messages).toHaveLength(1);
  });
});

describe("a server that refuses", () => {
  const open = { tls: "none" };

  test("for now is asked again, with the same message", async () => {
    await using server = await mailServer({ authOptional: true }, [
      answer(451, "4.7.1 Greylisted, s3cret"),
      answer(452, "4.2.2 full"),
    ]);
    expect(await setUp(server.port, open).send()).toMatchObject({ attempts: 3 });
    expect(server.messages).toHaveLength(1);
  });

  test("for now, again and again, is given up with its code and none of its words", async () => {
    const refusal = answer(451, "4.7.1 Greylisted, s3cret");
    await using server = await mailServer({ authOptional: true }, [refusal, refusal, refusal]);
    expect(await rejection(setUp(server.port, open).send())).toMatchObject({
      message: 'the channel "mail" (email) refused the message for now (451 4.7.1)',
      details: { status: 451, attempts: 3 },
    });
    expect(server.messages).toEqual([]);
  });

  test("for good is not asked again", async () => {
    await using server = await mailServer({ authOptional: true }, [answer(554, "5.7.1 s3cret")]);
    expect(await rejection(setUp(server.port, open).send())).toMatchObject({
      message: 'the channel "mail" (email) refused the message (554 5.7.1)',
      details: { status: 554, attempts: 1 },
    });
    expect(server.connections()).toBe(1);
  });

  test("the password is not asked again, and neither the password nor its words are told", async () => {
    await using server = await mailServer({ key, cert });
    const { dir, ca } = await files();
    await using _ = dir;
    const { send, logged } = setUp(server.port, { username: "u", password: "s3cret", ca_file: ca });
    const error = await rejection(send());
    expect(error).toMatchObject({
      message: 'the channel "mail" (email) refused the user name or the password (535 5.7.8)',
      details: { status: 535, attempts: 1 },
    });
    expect(server.logins).toHaveLength(1);
    const { hint, details, stack, cause } = error as Error & Record<string, unknown>;
    const told = JSON.stringify([hint, details, stack, cause, String(error), logged]).replaceAll(
      "email.test.ts",
      "",
    );
    expect(told).not.toContain("s3cret");
    expect(told).not.toContain(Buffer.from("s3cret").toString("base64"));
    expect(told).not.toMatch(/mail\.test|127\.0\.0\.1/);
  });

  test("some recipients for good delivers to the others, and says how many", async () => {
    await using server = await mailServer({
      authOptional: true,
      onRcptTo: ({ address }, _session, done) =>
        done(address === "gone@example.com" ? answer(550, "5.1.1 s3cret") : undefined),
    });
    const { send, logged } = setUp(server.port, { ...open, to: ["gone@example.com", "ops@example.com"] });
    expect(await send()).toEqual({ channel: "mail", type: "email", attempts: 1, refused: 1 });
    expect(server.envelopes).toEqual([{ from: "vox@example.com", to: ["ops@example.com"] }]);
    expect(JSON.stringify(logged)).not.toMatch(/s3cret|gone@/);
  });

  test("some recipients for now is asked again for these alone", async () => {
    const seen = new Set<string>();
    await using server = await mailServer({
      authOptional: true,
      onRcptTo: ({ address }, _session, done) => {
        const isFirst = address.startsWith("grey") && !seen.has(address);
        seen.add(address);
        done(isFirst ? answer(450, "4.7.1 later") : undefined);
      },
    });
    expect(
      await setUp(server.port, { ...open, to: ["grey@example.com", "ops@example.com"] }).send(),
    ).toMatchObject({
      attempts: 2,
      refused: 0,
    });
    expect(server.envelopes.map(({ to }) => to)).toEqual([["ops@example.com"], ["grey@example.com"]]);
  });

  test("all recipients is a failure", async () => {
    await using server = await mailServer({
      authOptional: true,
      onRcptTo: (_address, _session, done) => done(answer(550, "5.1.1 nobody")),
    });
    expect(await rejection(setUp(server.port, open).send())).toMatchObject({
      message: 'the channel "mail" (email) refused all recipients (550 5.1.1)',
    });
    expect(server.messages).toEqual([]);
  });

  test("to log anybody in gets no mail", async () => {
    await using server = await mailServer({ key, cert, disabledCommands: ["AUTH"] });
    const { dir, ca } = await files();
    await using _ = dir;
    expect(
      await rejection(setUp(server.port, { username: "u", password: "right", ca_file: ca }).send()),
    ).toMatchObject({ message: 'the channel "mail" (email) offers no way to log in' });
    expect(server.messages).toEqual([]);
  });
});

describe("a server that is none", () => {
  const open = { tls: "none" };

  test("nobody listens there: three attempts, then the failure in plain words", async () => {
    expect(await rejection(setUp(1, open).send())).toMatchObject({
      code: "notify.failed",
      message: 'the channel "mail" (email) could not be reached: connection refused',
      details: { attempts: 3 },
    });
  });

  test("where one address refuses, the next one is tried", async () => {
    await using server = await mailServer({ authOptional: true });
    await setUp(server.port, open, { addresses: ["127.0.0.9", "127.0.0.1"] }).send();
    expect(server.messages).toHaveLength(1);
  });

  test.each([
    ["another protocol", "HTTP/1.1 400 s3cret\r\n\r\n"],
    ["noise", "\u0000\u0001\u001b[31m s3cret\r\n"],
    ["a refusal", "554 5.7.1 s3cret go away\r\n"],
  ])("speaks %s: given up at once, without its words", async (_name, greeting) => {
    await using server = await scripted(() => undefined, greeting);
    const error = (await rejection(setUp(server.port, open).send())) as Error;
    expect(error).toMatchObject({ code: "notify.failed", details: { attempts: 1 } });
    expect(error.message).toMatch(/does not speak SMTP|refused the connection \(554 5\.7\.1\)/);
    expect(server.received.join("")).not.toContain("MAIL");
  });

  test("never ends its answer: what is kept of it has a bound", async () => {
    await using server = await scripted((line, socket) => {
      if (line.startsWith("EHLO")) {
        const piece = `250-${"x".repeat(1_000)}\r\n`.repeat(100);
        const timer = setInterval(() => socket.write(piece), 1);
        socket.on("close", () => clearInterval(timer));
      }
      return undefined;
    });
    expect(await rejection(setUp(server.port, open).send())).toMatchObject({ code: "notify.failed" });
  });

  test.each([
    ["before it greets", ""],
    ["after it greeted", "220 mail.test\r\n"],
  ])("says nothing, %s: the deadline holds", async (_name, greeting) => {
    await using server = await scripted(() => undefined, greeting);
    let fire: (() => void) | undefined;
    const clock: Clock = {
      ...hastyClock,
      after: (ms, task) => {
        if (ms === 20_000) fire = task;
        return () => {};
      },
    };
    const call = rejection(setUp(server.port, open, { clock }).send());
    for (let attempt = 1; attempt <= 3; attempt++) {
      await until(() => server.opened() === attempt);
      fire?.();
    }
    expect(await call).toMatchObject({
      message: 'the channel "mail" (email) did not answer in time',
      details: { attempts: 3 },
    });
  });

  test("is let go of when the caller's time is over", async () => {
    await using server = await scripted(() => undefined);
    const stop = new AbortController();
    const call = rejection(setUp(server.port, open).send(message, stop.signal));
    await until(() => server.received.length > 0);
    stop.abort();
    expect(await call).toMatchObject({ code: "operation.interrupted" });
    await until(() => server.closed());
    expect(server.opened()).toBe(1);
  });
});

describe("files that a channel names", () => {
  test.each([
    ["is not there", () => "/nowhere/at/all", "ENOENT"],
    ["is a folder", (dir: string) => dir, "it is no plain file"],
    ["is a device", () => "/dev/zero", "it is no plain file"],
    ["is empty", (dir: string) => (writeFileSync(join(dir, "e"), ""), join(dir, "e")), "it is empty"],
    [
      "is large",
      (dir: string) => (writeFileSync(join(dir, "l"), "x".repeat(5000)), join(dir, "l")),
      "more than 4096",
    ],
  ])("a password_file that %s: nothing is sent, and its path is not told", async (_name, make, why) => {
    await using dir = tempDir();
    await using server = await mailServer({ key, cert });
    const file = make(dir.path);
    const error = (await rejection(
      setUp(server.port, { username: "u", password_file: file }).send(),
    )) as Error;
    expect(error.message).toStartWith('the channel "mail" (email) has a password_file that can\'t be used');
    expect(error.message).toContain(why);
    expect(error.message).not.toContain(file);
    expect(server.connections()).toBe(0);
  });
});

// --- internal ---

const OUR_HEADERS = new Set([
  "Auto-Submitted",
  "Content-Transfer-Encoding",
  "Content-Type",
  "Date",
  "From",
  "MIME-Version",
  "Message-ID",
  "Subject",
  "To",
  "X-Voxeltron-Channel",
  "X-Voxeltron-Delivery",
  "X-Voxeltron-From",
  "X-Voxeltron-Severity",
]);

/** RFC 2047, as a mail program shows it. */
function decodeWords(text: string): string {
  return text
    .replaceAll(/(\?=)\s+(=\?)/g, "$1$2")
    .replaceAll(/=\?UTF-8\?([BQ])\?([^?]*)\?=/g, (_all, how: string, coded: string) =>
      how === "B"
        ? Buffer.from(coded, "base64").toString("utf8")
        : Buffer.from(
            coded
              .replaceAll("_", " ")
              .replaceAll(/=([0-9A-F]{2})/g, (_hex, hex: string) =>
                String.fromCharCode(Number.parseInt(hex, 16)),
              ),
            "latin1",
          ).toString("utf8"),
    );
}
