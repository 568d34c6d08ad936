/**
 * One attempt at a channel that is a URL. Its address may point anywhere, private networks too: the operator wrote it. Called
 * by notify.ts.
 */
import { fail, isVoxError } from "../../base/errors.ts";
import { LIMITS } from "../../base/limits.ts";
import type { HttpAnswer, HttpClient } from "../../platform/http/http-client.ts";
import type { HttpRules } from "../../platform/http/open-http.ts";
import { retryAfterMs } from "../../platform/http/retry-after.ts";
import { parseTarget } from "../../platform/http/target.ts";
import type { HttpChannel } from "./channel-schema.ts";
import type { Notification } from "./notification.ts";
import { openChannel, type OpenChannel } from "./open-channel.ts";
import { payloadFor } from "./payload.ts";
import type { Outcome } from "./retry.ts";
import type { Envelope } from "./wording.ts";

/** Throws what is no failure of the endpoint's: what the signal says, a bug. */
export async function post(
  http: HttpClient,
  channel: HttpChannel,
  message: Notification,
  envelope: Envelope,
  nowMs: number,
  signal: AbortSignal | undefined,
): Promise<Outcome> {
  const open = opened(channel);
  if ("ok" in open) return open;
  const request = { url: open.url, method: "POST", ...payloadFor(open, message, envelope) };
  const bounds = { timeoutMs: LIMITS.notifyMs, bodyBytes: 0, signal };
  try {
    return judged(await http(request, rulesFor(open), bounds), nowMs);
  } catch (error) {
    if (signal?.aborted === true || !isVoxError(error)) throw error;
    const { problem, lasting } = error.details;
    const isNetwork = error.code === "network.failed" || error.code === "network.timeout";
    return {
      ok: false,
      again: isNetwork && lasting !== true,
      problem:
        PROBLEMS[error.code] ??
        (typeof problem === "string" ? `could not be reached: ${problem}` : "could not be reached"),
    };
  }
}

// --- internal ---

function opened(channel: HttpChannel): OpenChannel | Outcome {
  try {
    return openChannel(channel);
  } catch (error) {
    if (!isVoxError(error)) throw error;
    return { ok: false, again: false, problem: String(error.details["problem"]) };
  }
}

/** A redirect may lead to another path of the same server, and only where the message goes with it. */
function rulesFor(channel: OpenChannel): HttpRules {
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

function judged({ status, headers }: HttpAnswer, nowMs: number): Outcome {
  if (status >= 200 && status < 300) return { ok: true, refused: 0 };
  const again = status === 429 || status >= 500;
  const asked = headers.find(([name]) => name.toLowerCase() === "retry-after")?.[1];
  return {
    ok: false,
    again,
    status,
    problem: `answered ${status}`,
    ...(again && asked !== undefined ? { waitMs: retryAfterMs(asked, nowMs) } : {}),
  };
}

const PROBLEMS: Readonly<Record<string, string>> = {
  "network.timeout": "did not answer in time",
  "capability.out_of_scope":
    "answered with a redirect that leads elsewhere; configure the address that it leads to",
};
