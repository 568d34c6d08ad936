/**
 * The alert about certificates that end soon, by what is really served: it connects to the daemon's own listener for each domain and reads the
 * certificate that comes. It shares no code and no state with what renews, so that it also notices where that went wrong. Nobody waits for
 * a look: it goes on beside, and what was seen last counts. Made in daemon/compose-certs.ts.
 */
import { timestamp, type Clock } from "../../base/clock.ts";
import { messageOf } from "../../base/errors.ts";
import { LIMITS } from "../../base/limits.ts";
import type { Log } from "../../base/log.ts";
import { withDeadline } from "../../platform/deadline.ts";
import type { ReadServed } from "../../platform/tls/served-certificate.ts";
import type { AlertRow } from "../../state/alerts.ts";
import type { Finding, Watch } from "../alerts/finding.ts";
import type { Address } from "../edge/address.ts";
import { makeSlots } from "./slots.ts";

export interface ExpiryWatch extends Watch {
  /** Resolves when nothing is being looked at any more. */
  idle(): Promise<void>;
  close(): void;
}

export interface WatchedDomain {
  readonly domain: string;
  readonly service: string;
}

export interface ExpiryWatchParts {
  readonly domains: () => readonly WatchedDomain[];
  /** Where certificates are served; undefined where they are not. */
  readonly listener: () => Address | undefined;
  readonly readServed: ReadServed;
  readonly clock: Clock;
  readonly log: Log;
}

export function makeExpiryWatch({
  domains,
  listener,
  readServed,
  clock,
  log,
}: ExpiryWatchParts): ExpiryWatch {
  const stopping = new AbortController();
  const slots = makeSlots(LIMITS.certServedAtOnce);
  const seen = new Map<string, Seen>();
  const looking = new Map<string, Promise<void>>();

  async function lookAt(domain: string, at: Address): Promise<void> {
    const before = seen.get(domain);
    try {
      const place = { host: reachable(at.host), port: at.port, name: domain.replace(/^\*/, ANY_LABEL) };
      const bounds = { timeoutMs: LIMITS.certServedMs, signal: stopping.signal };
      const life = lifeOf(await withDeadline(clock, bounds, (signal) => readServed(place, signal)));
      seen.set(domain, { at: clock.monotonic(), life, why: undefined });
    } catch (error) {
      const why = messageOf(error);
      if (!stopping.signal.aborted && before?.why !== why)
        log.warn("the certificate that is served could not be looked at", { domain, why });
      seen.set(domain, { at: clock.monotonic(), life: undefined, why });
    }
  }

  /** Sooner where something is amiss: what was put right is to be noticed. */
  function isDue(domain: string, isFiring: boolean): boolean {
    const last = seen.get(domain);
    if (last === undefined) return true;
    const pause = isFiring || last.life === undefined ? LIMITS.certLookMs : LIMITS.certWatchMs;
    return clock.monotonic() - last.at >= pause;
  }

  function begin(domain: string, at: Address): void {
    if (looking.has(domain) || stopping.signal.aborted) return;
    looking.set(
      domain,
      slots(() => lookAt(domain, at)).finally(() => looking.delete(domain)),
    );
  }

  /** Undefined: it is well, or it did not fire and nothing is known of it. */
  function findingOf(watched: WatchedDomain, row: AlertRow | undefined): Finding | undefined {
    const life = seen.get(watched.domain)?.life;
    if (life === undefined) return row === undefined ? undefined : { ...row, state: "unclear" };
    const left = life.notAfter - clock.now();
    return left < thresholdOf(life) ? found(watched, life, left) : undefined;
  }

  return {
    what: "certificates",
    owns: (name) => name === NAME,
    async *look(firing) {
      const at = listener();
      const wanted = domains();
      const names = new Set(wanted.map(({ domain }) => domain));
      for (const domain of seen.keys()) if (!names.has(domain)) seen.delete(domain);
      const fires = new Map(firing.map((row) => [row.subject, row]));
      for (const watched of wanted) {
        const { domain } = watched;
        const row = fires.get(domain);
        if (at !== undefined && isDue(domain, row !== undefined)) begin(domain, at);
        const finding = findingOf(watched, row);
        if (finding !== undefined) yield finding;
      }
    },
    async idle() {
      while (looking.size > 0) await Promise.all(looking.values());
    },
    close: () => stopping.abort(new Error("the daemon stops")),
  };
}

// --- internal ---

const NAME = "certificate-expiry";

interface Seen {
  /** Monotonic. */
  readonly at: number;
  /** Of what came; undefined where none did. */
  readonly life: Life | undefined;
  readonly why: string | undefined;
}

interface Life {
  readonly notBefore: number;
  readonly notAfter: number;
}

function lifeOf(certificate: { readonly validFrom: string; readonly validTo: string }): Life {
  return { notBefore: Date.parse(certificate.validFrom), notAfter: Date.parse(certificate.validTo) };
}

/** A sixth of its life, where renewing began with a third left; at most two weeks. */
function thresholdOf({ notBefore, notAfter }: Life): number {
  return Math.min(LIMITS.certAlertMs, (notAfter - notBefore) / 6);
}

function found({ domain, service }: WatchedDomain, life: Life, left: number): Finding {
  const end = timestamp(life.notAfter);
  return {
    name: NAME,
    subject: domain,
    service,
    state: "on",
    metric: "certificate_days_left",
    value: days(left),
    threshold: days(thresholdOf(life)),
    message:
      left > 0
        ? `the certificate that is served for ${domain} ends at ${end}, in ${days(left)} days`
        : `the certificate that is served for ${domain} ended at ${end}`,
  };
}

function days(ms: number): number {
  return Math.round(ms / 8_640_000) / 10;
}

/** One of the names that a wildcard stands for. */
const ANY_LABEL = "voxeltron-check";

/** A listener on every address is on the loopback one too. */
function reachable(host: string): string {
  if (host === "0.0.0.0") return "127.0.0.1";
  return host === "::" ? "::1" : host;
}
