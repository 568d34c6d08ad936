/**
 * The keys of a `[notify.NAME]` with type = "email", and what must go together. A password goes over an encrypted connection,
 * or to this very machine. Read by channel-schema.ts.
 */
import { isIP } from "node:net";
import * as v from "valibot";
import { LIMITS } from "../../base/limits.ts";
import { refusalOf } from "../../platform/http/address-policy.ts";
import type { Mailbox } from "../../platform/smtp/mail-message.ts";
import { absoluteFile } from "./absolute-file.ts";
import { parseMailbox } from "./mailbox.ts";
import { template } from "./template-schema.ts";

const PORT = "a port from 1 to 65535";

/**
 * @example
 * [notify.mail]
 * type = "email"
 * host = "smtp.example.com"
 * username = "alerts"
 * password_file = "/run/credentials/voxeltron.service/smtp"
 * from = "voxeltron <alerts@example.com>"
 * to = ["ops@example.com"]
 */
export const emailSchema = v.pipe(
  v.strictObject({
    type: v.literal("email"),
    host: v.pipe(v.string("a host name or an address"), v.check(isHost, "a host name or an address")),
    port: v.optional(v.pipe(v.number(PORT), v.integer(PORT), v.minValue(1, PORT), v.maxValue(65_535, PORT))),
    tls: v.optional(v.picklist(["starttls", "tls", "none"], '"starttls", "tls" or "none"'), "starttls"),
    username: v.optional(secretText()),
    password: v.optional(secretText()),
    password_file: v.optional(absoluteFile()),
    from: mailbox(),
    to: v.pipe(
      v.array(mailbox(), "a list of mail addresses"),
      v.minLength(1, "at least one mail address"),
      v.maxLength(LIMITS.mailRecipients, `at most ${LIMITS.mailRecipients} mail addresses`),
    ),
    ca_file: v.optional(absoluteFile()),
    title: v.optional(template),
    text: v.optional(template),
  }),
  v.check(
    ({ username, password, password_file: file }) =>
      username === undefined
        ? password === undefined && file === undefined
        : (password === undefined) !== (file === undefined),
    "username together with password or password_file, or none of them",
  ),
  v.check(
    ({ username, tls, host }) => username === undefined || tls !== "none" || isLoopback(host),
    'tls = "starttls" or "tls": a password is not sent unencrypted, but to this machine',
  ),
);

export type EmailChannel = v.InferOutput<typeof emailSchema>;

// --- internal ---

function secretText() {
  return v.pipe(
    v.string("a text"),
    v.minLength(1, "a text that is not empty"),
    v.maxLength(1_000, "a shorter text"),
  );
}

function mailbox() {
  const wanted = "a mail address such as ops@example.com or Ops <ops@example.com>";
  return v.pipe(
    v.string(wanted),
    v.check((text) => parseMailbox(text) !== undefined, wanted),
    v.transform((text) => parseMailbox(text) as Mailbox),
  );
}

function isHost(text: string): boolean {
  const isName = text
    .replace(/\.$/, "")
    .split(".")
    .every((label) => /^[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?$/.test(label));
  return text.length <= 253 && (isIP(text) !== 0 || (isName && !/^[\d.]+$/.test(text)));
}

function isLoopback(host: string): boolean {
  return host.toLowerCase() === "localhost" || refusalOf(host) === "a loopback address";
}
