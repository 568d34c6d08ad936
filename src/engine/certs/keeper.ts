/**
 * Looks after the certificates that the daemon gets itself: what is due is tried, and what came of it is written down together with its
 * event. When something is next tried is in the state, so it holds over restarts, and for a clock that is put forward; one that was put
 * back shows in a try that lies ahead. Called by certificates.ts.
 */
import { timestamp, type Clock } from "../../base/clock.ts";
import { isVoxError, messageOf, stackOf } from "../../base/errors.ts";
import { LIMITS } from "../../base/limits.ts";
import type { Log } from "../../base/log.ts";
import type { CertificateRow, CertificateRows } from "../../state/certificates.ts";
import type { Events } from "../events/events.ts";
import type { Authority } from "./acme/authority.ts";
import {
  checkPair,
  covers,
  SELF_SIGNED,
  type CertificateFacts,
  type CertificatePair,
} from "./certificate-facts.ts";
import { certFailure, failureOf } from "./problem.ts";
import { makeSelfSigned } from "./self-signed.ts";
import { makeSlots } from "./slots.ts";
import type { Issued, Stored } from "./stored.ts";
import { holdMs, renewAt, retryAt } from "./timing.ts";
import type { TlsSettings } from "./tls-schema.ts";
import type { Wanted } from "./wanted.ts";

export interface Keeper {
  start(): void;
  /** Something may have changed: looks now, once it is started. */
  look(): void;
  /** Whether the domain is being looked after right now. */
  isTrying(domain: string): boolean;
  /** Its time has come. */
  isDue(row: CertificateRow): boolean;
  /** Tries now, or joins the try that is under way. Resolves when it is written down; throws where that is not possible. */
  tryNow(domain: string): Promise<void>;
  /** Ends what is under way; the next start goes on with it. */
  close(): Promise<void>;
}

export interface KeeperParts {
  readonly wanted: Wanted;
  readonly stored: Stored;
  readonly rows: CertificateRows;
  readonly authority: Authority;
  readonly settings: () => TlsSettings;
  readonly events: Pick<Events, "emit">;
  /** Something else is to be served. */
  readonly changed: () => void;
  readonly random: () => number;
  readonly clock: Clock;
  readonly log: Log;
}

export function makeKeeper(parts: KeeperParts): Keeper {
  const { wanted, stored, rows, events, clock, log } = parts;
  const stopping = new AbortController();
  const slots = makeSlots(LIMITS.certOrdersAtOnce);
  const trying = new Map<string, Promise<void>>();
  let isStarted = false;
  let cancelTimer = (): void => {};

  function isDue({ nextAt, triedAt, failures }: CertificateRow): boolean {
    const now = timestamp(clock.now());
    return nextAt <= now || (failures > 0 && triedAt !== null && triedAt > now);
  }

  async function issued(domain: string, source: string): Promise<Issued> {
    const pair =
      source === SELF_SIGNED
        ? await makeSelfSigned(domain, clock.now())
        : await parts.authority.issue(domain, stored.draft(domain, source), stopping.signal);
    return { pair, facts: checked(domain, pair, clock.now()), source };
  }

  async function attempt(domain: string): Promise<void> {
    const row = rows.find(domain);
    if (row === undefined || stopping.signal.aborted) return;
    const { source } = row;
    rows.put({ ...row, triedAt: timestamp(clock.now()) });
    let result: Issued;
    try {
      result = await issued(domain, source);
    } catch (error) {
      if (stopping.signal.aborted) return;
      if (!isVoxError(error))
        log.error("a bug: no certificate", { domain, error: messageOf(error), stack: stackOf(error) });
      failed(domain, source, error);
      return;
    }
    succeeded(domain, result);
  }

  /** A domain that has another source by now keeps what came, and is still due. */
  function succeeded(domain: string, result: Issued): void {
    const { facts, pair, source } = result;
    const notAfter = timestamp(facts.notAfter);
    const nextAt = timestamp(renewAt(facts, clock.now(), parts.random()));
    const isKept = rows.transaction(() => {
      const row = rows.find(domain);
      if (row === undefined) return false;
      rows.put({
        ...stored.rowWith(row, result),
        ...(row.source === source ? { ...SUCCEEDED, nextAt } : {}),
      });
      events.emit("on_cert_renew", { domain, ok: true, issuer: facts.issuer, notAfter });
      return true;
    });
    if (!isKept) return;
    stored.keep(domain, pair);
    parts.changed();
    log.info("a certificate was issued", { domain, issuer: facts.issuer, notAfter, nextAt });
  }

  function failed(domain: string, source: string, error: unknown): void {
    const { problem, message, waitMs } = failureOf(error);
    const now = clock.now();
    rows.transaction(() => {
      const row = rows.find(domain);
      if (row?.source !== source) return;
      const failures = row.failures + 1;
      const notAfter = row.notAfter === null ? undefined : Date.parse(row.notAfter);
      const nextAt = timestamp(retryAt({ now, failures, waitMs, notAfter }, parts.random()));
      const heldUntil = waitMs === undefined ? null : timestamp(now + holdMs(waitMs));
      rows.put({ ...row, failures, problem, error: message, nextAt, heldUntil });
      events.emit("on_cert_renew", {
        domain,
        ok: false,
        issuer: row.issuer ?? "",
        notAfter: row.notAfter ?? timestamp(now),
        error: message,
      });
      log.warn("a certificate was not issued", { domain, problem, error: message, failures, nextAt });
    });
  }

  function tryNow(domain: string): Promise<void> {
    const underWay = trying.get(domain);
    if (underWay !== undefined) return underWay;
    const before = rows.find(domain)?.source;
    const mine = slots(() => attempt(domain)).finally(() => {
      trying.delete(domain);
      if (rows.find(domain)?.source !== before) look();
    });
    trying.set(domain, mine);
    return mine;
  }

  /** A domain that waits for its certificate can be served meanwhile, where the operator wants that. */
  async function standIn({ domain, certificate, source }: CertificateRow): Promise<void> {
    if (certificate !== null || source === SELF_SIGNED || parts.settings().fallback !== "self-signed") return;
    const result = await issued(domain, SELF_SIGNED);
    const row = stopping.signal.aborted ? undefined : rows.find(domain);
    if (row === undefined || row.certificate !== null) return;
    rows.put(stored.rowWith(row, result));
    stored.keep(domain, result.pair);
    parts.changed();
  }

  function look(): void {
    cancelTimer();
    if (!isStarted || stopping.signal.aborted) return;
    cancelTimer = clock.after(LIMITS.certLookMs, look);
    try {
      const { rows: all, gone } = wanted.update();
      for (const domain of gone) stored.forget(domain);
      const due = all.filter((row) => isDue(row) && !trying.has(row.domain)).toSorted(mostPressing);
      for (const row of all) standIn(row).catch(report);
      for (const { domain } of due) tryNow(domain).catch(report);
    } catch (error) {
      report(error);
    }
  }

  /** It stays due: the next look tries again. */
  function report(error: unknown): void {
    log.error("looking after certificates failed", { error: messageOf(error), stack: stackOf(error) });
  }

  return {
    start() {
      isStarted = true;
      look();
    },
    look,
    isTrying: (domain) => trying.has(domain),
    isDue,
    tryNow,
    async close() {
      cancelTimer();
      stopping.abort(new Error("the daemon stops"));
      await Promise.allSettled(trying.values());
    },
  };
}

// --- internal ---

const SUCCEEDED = {
  heldUntil: null,
  failures: 0,
  problem: null,
  error: null,
  orderUrl: null,
  orderKey: null,
} as const;

/** What an authority sends is looked at before it is served. */
function checked(domain: string, pair: CertificatePair, nowMs: number): CertificateFacts {
  const refused = (why: string): Error =>
    certFailure({ problem: "refused", message: `the certificate that came can't be used: ${why}` });
  let facts: CertificateFacts;
  try {
    facts = checkPair(pair);
  } catch (error) {
    throw refused(messageOf(error));
  }
  if (!covers(facts.names, domain)) throw refused(`it is not for ${domain}`);
  if (facts.notAfter <= nowMs) throw refused("it has ended, or this machine's clock is wrong");
  return facts;
}

/** Who has none first, then who has the least time left. */
function mostPressing(a: CertificateRow, b: CertificateRow): number {
  return (a.notAfter ?? "").localeCompare(b.notAfter ?? "");
}
