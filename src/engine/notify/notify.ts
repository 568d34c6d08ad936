/**
 * Sends to the channels that the operator configured. Their URLs may point anywhere, private networks too: the operator wrote
 * them. They are secrets: none appears in an error, a log line or an event. Used by the broker's `notify.send` through the
 * interface that it names, and by whatever in the engine has news for people.
 */
import type { Clock } from "../../base/clock.ts";
import { fail, isVoxError } from "../../base/errors.ts";
import { newId } from "../../base/ids.ts";
import { LIMITS } from "../../base/limits.ts";
import type { Log } from "../../base/log.ts";
import { quote } from "../../base/text.ts";
import type { HttpAnswer, HttpClient } from "../../platform/http/http-client.ts";
import type { HttpRules } from "../../platform/http/open-http.ts";
import { parseTarget } from "../../platform/http/target.ts";
import type { Channel } from "./channel-schema.ts";
import { cleanNotification, type Notification } from "./notification.ts";
import { payloadFor, type Payload } from "./payload.ts";

export interface Notify {
  /** Names, in order. */
  channels(): readonly string[];
  /** The channels' URLs, for those who must recognise one. Secrets. */
  endpoints(): readonly { readonly channel: string; readonly url: string }[];
  /**
   * Resolves when the endpoint answered with 2xx. One repetition after a network failure, a 429 or a 5xx.
   * Throws `notify.unknown_channel`, `notify.failed` (details: channel, status?) or what the signal says.
   */
  send(channel: string, message: Notification, signal?: AbortSignal): Promise<void>;
}

export interface NotifyOptions {
  /** Asked at each call, so that a reload of the configuration counts. */
  readonly channels: () => Readonly<Record<string, Channel>>;
  readonly http: HttpClient;
  readonly clock: Clock;
  readonly log: Log;
}

export function makeNotify(options: NotifyOptions): Notify {
  return {
    channels: () => Object.keys(options.channels()).toSorted(),
    endpoints: () => Object.entries(options.channels()).map(([channel, { url }]) => ({ channel, url })),
    async send(name, message, signal) {
      const all = options.channels();
      const channel = Object.hasOwn(all, name) ? all[name] : undefined;
      if (channel === undefined) throw fail("notify.unknown_channel", `no channel is called ${quote(name)}`);
      const envelope = { channel: name, id: newId(), atMs: options.clock.now() };
      const payload = payloadFor(channel, cleanNotification(message), envelope);
      const first = await attempt(options, channel, payload, signal);
      if (first.ok) return;
      const last = first.again ? await again(options, name, channel, payload, signal) : first;
      if (!last.ok) throw failed(name, channel, last);
    },
  };
}

// --- internal ---

type Outcome =
  | { readonly ok: true }
  | { readonly ok: false; readonly again: boolean; readonly status?: number; readonly problem: string };

async function again(
  options: NotifyOptions,
  name: string,
  channel: Channel,
  payload: Payload,
  signal: AbortSignal | undefined,
): Promise<Outcome> {
  options.log.debug("a notification is tried again", { channel: name });
  await options.clock.sleep(LIMITS.notifyRetryMs, signal);
  return attempt(options, channel, payload, signal);
}

async function attempt(
  { http }: NotifyOptions,
  channel: Channel,
  payload: Payload,
  signal: AbortSignal | undefined,
): Promise<Outcome> {
  const request = { url: channel.url, method: "POST", ...payload };
  const bounds = { timeoutMs: LIMITS.notifyMs, bodyBytes: 0, signal };
  try {
    return judged(await http(request, rulesFor(channel), bounds));
  } catch (error) {
    if (signal?.aborted === true || !isVoxError(error)) throw error;
    return {
      ok: false,
      again: error.code === "network.failed" || error.code === "network.timeout",
      problem: PROBLEMS[error.code] ?? "could not be reached",
    };
  }
}

/** A redirect may lead to another path of the same server, and only where the message goes with it. */
function rulesFor(channel: Channel): HttpRules {
  const { origin } = parseTarget(channel.url);
  return {
    redirect: "follow",
    check(hop) {
      if (hop.target.origin !== origin || hop.method !== "POST")
        throw fail("capability.out_of_scope", "a redirect that leads elsewhere, or loses the message");
    },
    choose: (_target, addresses) => addresses,
  };
}

function judged({ status }: HttpAnswer): Outcome {
  if (status >= 200 && status < 300) return { ok: true };
  return { ok: false, again: status === 429 || status >= 500, status, problem: `answered ${status}` };
}

function failed(name: string, channel: Channel, outcome: Outcome & { readonly ok: false }): Error {
  return fail("notify.failed", `the channel ${quote(name)} (${channel.type}) ${outcome.problem}`, {
    details: { channel: name, ...(outcome.status === undefined ? {} : { status: outcome.status }) },
  });
}

const PROBLEMS: Readonly<Record<string, string>> = {
  "network.timeout": "did not answer in time",
  "capability.out_of_scope":
    "answered with a redirect that leads elsewhere; configure the address that it leads to",
};
