/**
 * Attempts at an email channel. Its password and certificates are read from their files for each message, so that new ones
 * count at once. A recipient who took the message is not sent it again. Called by notify.ts.
 */
import { isVoxError } from "../../base/errors.ts";
import { LIMITS } from "../../base/limits.ts";
import type { Mail, Mailbox } from "../../platform/smtp/mail-message.ts";
import type { MailServer, SmtpClient } from "../../platform/smtp/smtp-client.ts";
import type { EmailChannel } from "./email-schema.ts";
import { readFileOf, readSecretOf } from "./read-file-of.ts";
import type { Outcome } from "./retry.ts";

/** The attempt, to be made as often as it takes. It throws what is no failure of the server's: what the signal says, a bug. */
export function mailAttempts(
  smtp: SmtpClient,
  channel: EmailChannel,
  mail: Mail,
  signal: AbortSignal | undefined,
): () => Promise<Outcome> {
  let left: readonly Mailbox[] = mail.to;
  let refused = 0;
  /** Where some have it already, what is left over is no failure of the whole. */
  const partly = (): { readonly partly?: number } =>
    left.length + refused < mail.to.length ? { partly: left.length + refused } : {};
  return async () => {
    try {
      const bounds = { timeoutMs: LIMITS.mailMs, signal };
      const answer = await smtp(serverOf(channel), { ...mail, to: left }, bounds);
      const deferred = new Set(
        answer.refused.filter(({ lasting }) => !lasting).map(({ address }) => address),
      );
      refused += answer.refused.length - deferred.size;
      left = left.filter(({ address }) => deferred.has(address));
      return left.length === 0
        ? { ok: true, refused }
        : { ok: false, again: true, problem: "did not take it for all recipients yet", ...partly() };
    } catch (error) {
      if (signal?.aborted === true || !isVoxError(error)) throw error;
      const { problem, lasting, status } = error.details;
      return {
        ok: false,
        again: lasting !== true,
        problem: typeof problem === "string" ? problem : "did not answer in time",
        ...(typeof status === "number" ? { status } : {}),
        ...partly(),
      };
    }
  };
}

// --- internal ---

const PORTS = { starttls: 587, tls: 465, none: 25 } as const;

function serverOf(channel: EmailChannel): MailServer {
  const { host, tls, port = PORTS[tls], username, password_file: file, ca_file: caFile } = channel;
  const ca = caFile === undefined ? undefined : readFileOf("ca_file", caFile, LIMITS.caFileBytes);
  if (username === undefined) return { host, port, tls, ca };
  const password = channel.password ?? readSecretOf("password_file", file ?? "", LIMITS.secretFileBytes);
  return { host, port, tls, ca, login: { username, password } };
}
