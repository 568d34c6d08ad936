/**
 * Watches over what is really served: it connects to the daemon's own listener for each domain, reads the certificate that comes, and raises
 * an alert before it ends. It shares no code and no state with what renews, so that it also notices where that went wrong. Each alert is
 * raised and resolved once, over restarts too. Made in daemon/compose-certs.ts.
 */
import { timestamp, type Clock } from "../../base/clock.ts";
import { messageOf } from "../../base/errors.ts";
import { LIMITS } from "../../base/limits.ts";
import type { Log } from "../../base/log.ts";
import { withDeadline } from "../../platform/deadline.ts";
import type { ReadServed } from "../../platform/tls/served-certificate.ts";
import type { CertificateRows } from "../../state/certificates.ts";
import type { Address } from "../edge/address.ts";
import type { Events } from "../events/events.ts";
import { makeSlots } from "./slots.ts";

export interface ExpiryWatch {
  start(): void;
  /** Now, at all of them. */
  look(): Promise<void>;
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
  readonly rows: Pick<CertificateRows, "alerts" | "raise" | "resolve" | "transaction">;
  readonly events: Pick<Events, "emit">;
  readonly clock: Clock;
  readonly log: Log;
}

export function makeExpiryWatch(parts: ExpiryWatchParts): ExpiryWatch {
  const { rows, events, clock, log } = parts;
  const stopping = new AbortController();
  /** What could not be looked at, and why: said once. */
  const unseen = new Map<string, string>();
  let cancelTimer = (): void => {};

  async function lookAt(watched: WatchedDomain, at: Address): Promise<void> {
    const { domain } = watched;
    let life: Life;
    try {
      const place = { host: reachable(at.host), port: at.port, name: domain.replace(/^\*/, ANY_LABEL) };
      const bounds = { timeoutMs: LIMITS.certServedMs, signal: stopping.signal };
      life = lifeOf(await withDeadline(clock, bounds, (signal) => parts.readServed(place, signal)));
    } catch (error) {
      const why = messageOf(error);
      if (!stopping.signal.aborted && unseen.get(domain) !== why)
        log.warn("the certificate that is served could not be looked at", { domain, why });
      unseen.set(domain, why);
      return;
    }
    unseen.delete(domain);
    const now = clock.now();
    const raised = rows.alerts().find((row) => row.domain === domain);
    const isLate = life.notAfter - now < thresholdOf(life);
    if (isLate && raised === undefined) rows.transaction(() => raise(watched, life, now));
    if (!isLate && raised !== undefined)
      rows.transaction(() => {
        rows.resolve(domain);
        emit("resolved", watched, life, raised.since, now);
      });
  }

  function raise(watched: WatchedDomain, life: Life, now: number): void {
    const since = timestamp(now);
    rows.raise({ domain: watched.domain, since });
    emit("firing", watched, life, since, now);
  }

  function emit(
    state: "firing" | "resolved",
    { domain, service }: WatchedDomain,
    life: Life,
    since: string,
    now: number,
  ): void {
    const left = days(life.notAfter - now);
    const end = timestamp(life.notAfter);
    const message =
      state === "resolved"
        ? `the certificate that is served for ${domain} is good until ${end}`
        : left > 0
          ? `the certificate that is served for ${domain} ends at ${end}, in ${left} days`
          : `the certificate that is served for ${domain} ended at ${end}`;
    events.emit("on_alert", {
      name: "certificate-expiry",
      state,
      metric: "certificate_days_left",
      value: left,
      threshold: days(thresholdOf(life)),
      service,
      since,
      message,
    });
  }

  /** Nobody is served there any more. */
  function letGo(wanted: readonly WatchedDomain[]): void {
    for (const { domain, since } of rows.alerts()) {
      if (wanted.some((watched) => watched.domain === domain)) continue;
      rows.transaction(() => {
        rows.resolve(domain);
        events.emit("on_alert", {
          name: "certificate-expiry",
          state: "resolved",
          metric: "certificate_days_left",
          value: 0,
          threshold: 0,
          since,
          message: `${domain} is no longer served`,
        });
      });
    }
  }

  async function look(): Promise<void> {
    const at = parts.listener();
    if (at === undefined) return;
    const wanted = parts.domains();
    letGo(wanted);
    for (const domain of unseen.keys())
      if (!wanted.some((watched) => watched.domain === domain)) unseen.delete(domain);
    const slots = makeSlots(LIMITS.certServedAtOnce);
    await Promise.all(wanted.map((watched) => slots(() => lookAt(watched, at))));
  }

  function again(ms: number): void {
    cancelTimer = clock.after(ms, () => {
      look()
        .catch((error: unknown) => log.error("looking at certificates failed", { error: messageOf(error) }))
        .finally(() => {
          if (!stopping.signal.aborted) again(LIMITS.certWatchMs);
        });
    });
  }

  return {
    // What it is to look at opens a moment later.
    start: () => again(LIMITS.certLookMs),
    look,
    close() {
      stopping.abort(new Error("the daemon stops"));
      cancelTimer();
    },
  };
}

// --- internal ---

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
