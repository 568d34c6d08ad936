/**
 * Sends to the channels that the operator configured. Where they lead is secret: no address, no password and nothing that an
 * endpoint said appears in an error, a log line or an event. Used by the broker's `notify.send` through the interface that it
 * names, by the API's `notify.*`, and by whatever in the engine has news for people.
 */
import type { Clock } from "../../base/clock.ts";
import { fail, isVoxError } from "../../base/errors.ts";
import { newId } from "../../base/ids.ts";
import type { Log } from "../../base/log.ts";
import { nameAdvice, quote } from "../../base/text.ts";
import type { HttpClient } from "../../platform/http/http-client.ts";
import type { SmtpClient } from "../../platform/smtp/smtp-client.ts";
import type { Channel, HttpChannel } from "./channel-schema.ts";
import { mailFor } from "./mail.ts";
import { cleanNotification, type Notification } from "./notification.ts";
import { urlOf } from "./open-channel.ts";
import { post } from "./post.ts";
import { tryAgain, type Failure, type Outcome } from "./retry.ts";
import { mailAttempts } from "./send-mail.ts";
import type { Envelope } from "./wording.ts";

export interface Notify {
  /** Names, in order. */
  channels(): readonly string[];
  /** Names and types, in order: all that anybody is shown of a channel. */
  list(): readonly { readonly name: string; readonly type: Channel["type"] }[];
  /** The channels' URLs as they are now, for those who must recognise one. Secrets. */
  endpoints(): readonly { readonly channel: string; readonly url: string }[];
  /**
   * Resolves when the endpoint has accepted the message. What may go better the next time is tried again, with pauses: network
   * failures, HTTP 429 and 5xx, SMTP 4xx. Throws `notify.unknown_channel`, `notify.failed` (details: channel, attempts, status?)
   * or what the signal says.
   */
  send(channel: string, message: Notification, signal?: AbortSignal): Promise<Receipt>;
}

export interface Receipt {
  readonly channel: string;
  readonly type: Channel["type"];
  readonly attempts: number;
  /** Recipients of a mail that did not get it, where others did. */
  readonly refused: number;
}

export interface NotifyOptions {
  /** Asked at each call, so that a reload of the configuration counts. */
  readonly channels: () => Readonly<Record<string, Channel>>;
  /** The machine's name, for templates. */
  readonly host: string;
  readonly http: HttpClient;
  readonly smtp: SmtpClient;
  /** Told after each message whether its channel took it, and in which words it did not. */
  readonly heard?: (channel: string, problem: string | undefined) => void;
  readonly clock: Clock;
  readonly log: Log;
}

export function makeNotify(options: NotifyOptions): Notify {
  const { clock, log } = options;
  const list: Notify["list"] = () =>
    Object.entries(options.channels())
      .map(([name, { type }]) => ({ name, type }))
      .toSorted((a, b) => (a.name < b.name ? -1 : 1));
  return {
    channels: () => list().map(({ name }) => name),
    list,
    endpoints: () =>
      Object.entries(options.channels()).flatMap(([name, channel]) =>
        channel.type === "email" ? [] : endpointOf(name, channel),
      ),
    async send(name, message, signal) {
      const all = options.channels();
      const channel = Object.hasOwn(all, name) ? all[name] : undefined;
      if (channel === undefined) throw unknown(name, list());
      const envelope = { channel: name, host: options.host, id: newId(), atMs: clock.now() };
      const attempt = attemptsAt(options, channel, cleanNotification(message), envelope, signal);
      const { outcome, attempts } = await tryAgain(attempt, clock, signal, ({ problem }) =>
        log.debug("a notification is tried again", { channel: name, problem }),
      );
      options.heard?.(name, outcome.ok ? undefined : outcome.problem);
      if (!outcome.ok) {
        log.warn("a notification was not delivered", {
          channel: name,
          from: message.from,
          problem: outcome.problem,
        });
        throw failed(name, channel, outcome, attempts);
      }
      if (outcome.refused > 0)
        log.warn("a mail was refused for some of its recipients", {
          channel: name,
          refused: outcome.refused,
        });
      return { channel: name, type: channel.type, attempts, refused: outcome.refused };
    },
  };
}

// --- internal ---

function attemptsAt(
  { http, smtp, clock }: NotifyOptions,
  channel: Channel,
  message: Notification,
  envelope: Envelope,
  signal: AbortSignal | undefined,
): () => Promise<Outcome> {
  if (channel.type === "email")
    return mailAttempts(smtp, channel, mailFor(channel, message, envelope), signal);
  return () => post(http, channel, message, envelope, clock.now(), signal);
}

/** One whose file can't be read leads nowhere: whoever sends to it is told. */
function endpointOf(name: string, channel: HttpChannel): ReturnType<Notify["endpoints"]> {
  try {
    return [{ channel: name, url: urlOf(channel) }];
  } catch (error) {
    if (!isVoxError(error)) throw error;
    return [];
  }
}

function unknown(name: string, known: ReturnType<Notify["list"]>): Error {
  const names = known.map((channel) => channel.name);
  return fail("notify.unknown_channel", `no channel is called ${quote(name)}`, {
    hint: names.length === 0 ? "the operator configures channels: [notify.NAME]" : nameAdvice(name, names),
  });
}

function failed(name: string, channel: Channel, { status, problem }: Failure, attempts: number): Error {
  return fail("notify.failed", `the channel ${quote(name)} (${channel.type}) ${problem}`, {
    details: { channel: name, attempts, ...(status === undefined ? {} : { status }) },
  });
}
