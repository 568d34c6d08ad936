/**
 * How acme-client speaks to an authority: over the daemon's own HTTP, encrypted, without the library's retries and timers. An answer
 * that is an error becomes one that keeps the authority's words and what it asks to wait; only a nonce that is used up goes back to the
 * library, which takes another. Called by authority.ts.
 */
import { isVoxError } from "../../../base/errors.ts";
import { isObject } from "../../../base/is-object.ts";
import { LIMITS } from "../../../base/limits.ts";
import type { Clock } from "../../../base/clock.ts";
import type { HttpAnswer, HttpClient } from "../../../platform/http/http-client.ts";
import type { HttpRules } from "../../../platform/http/open-http.ts";
import { retryAfterMs } from "../../../platform/http/retry-after.ts";
import { answerProblem, certFailure, detailOf, typeOf } from "../problem.ts";

/** As the library calls its own: url, method, and the signed body. */
export type AcmeRequest = (
  url: string,
  method: string,
  options?: { readonly data?: unknown },
) => Promise<AcmeAnswer>;

interface AcmeAnswer {
  readonly status: number;
  /** By names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** JSON where it is, else text. */
  readonly data: unknown;
}

export function makeAcmeRequest(
  http: HttpClient,
  clock: Pick<Clock, "now">,
  signal: AbortSignal,
): AcmeRequest {
  return async (url, method, { data } = {}) => {
    const answer = await sent(http, url, method, data, signal);
    const headers = Object.fromEntries(answer.headers.map(([name, value]) => [name.toLowerCase(), value]));
    const body = bodyOf(answer, headers["content-type"]);
    const { status } = answer;
    const document = isObject(body) ? body : {};
    const type = typeOf(document);
    if (status >= 400 && !(status === 400 && type === "badNonce")) {
      const asked = headers["retry-after"];
      throw certFailure({
        problem: answerProblem(status, type),
        message: `the authority answered ${status}${type === undefined ? "" : ` (${type})`}: ${detailOf(document)}`,
        waitMs: asked === undefined ? undefined : retryAfterMs(asked, clock.now()),
        type: type ?? (status === 404 ? "notFound" : undefined),
      });
    }
    return { status, headers, data: body };
  };
}

// --- internal ---

/** The operator chose the authority, which may be in a private network; where it leads to is encrypted too. */
const RULES: HttpRules = {
  redirect: "error",
  check({ target }) {
    if (target.scheme === "https") return;
    throw certFailure({
      problem: "refused",
      message: `the authority leads to ${target.origin}, which is not encrypted`,
    });
  },
  choose: (_target, addresses) => addresses,
};

async function sent(
  http: HttpClient,
  url: string,
  method: string,
  data: unknown,
  signal: AbortSignal,
): Promise<HttpAnswer> {
  const body = data === undefined ? undefined : new TextEncoder().encode(JSON.stringify(data));
  const headers = [["content-type", "application/jose+json"] as const];
  const bounds = { timeoutMs: LIMITS.certRequestMs, bodyBytes: LIMITS.certAnswerBytes, signal };
  try {
    return await http({ url, method, headers, body }, RULES, bounds);
  } catch (error) {
    if (signal.aborted || !isVoxError(error) || error.code === "certificate.failed") throw error;
    throw certFailure(
      { problem: "unavailable", message: `the authority can't be reached: ${error.message}` },
      error,
    );
  }
}

function bodyOf({ body }: HttpAnswer, type: string | undefined): unknown {
  const text = new TextDecoder().decode(body);
  if (!/^application\/(?:[\w.]+\+)?json\b/i.test(type ?? "")) return text;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw certFailure({ problem: "unavailable", message: "the authority's answer is no JSON" });
  }
}
