/**
 * The certificates that the daemon got itself, as rows of the state and, opened, in memory for whoever serves them. What can't be opened
 * any more is let go, because another can be had. Called by certificates.ts and keeper.ts.
 */
import { timestamp, type Clock } from "../../base/clock.ts";
import { isVoxError, messageOf } from "../../base/errors.ts";
import type { Log } from "../../base/log.ts";
import type { CertificateRow, CertificateRows } from "../../state/certificates.ts";
import type { SecretBox } from "../secret-box.ts";
import { accountPurpose } from "./acme/authority.ts";
import type { OrderDraft } from "./acme/order.ts";
import type { CertificateFacts, CertificatePair } from "./certificate-facts.ts";

export interface Stored {
  /** After `open`. */
  find(domain: string): CertificatePair | undefined;
  /** The row as it is with a certificate that is served from then on; the caller's transaction puts it. */
  rowWith(row: CertificateRow, issued: Issued): CertificateRow;
  /** Call it when the row is on disk. */
  keep(domain: string, pair: CertificatePair): void;
  forget(domain: string): void;
  /** The order of a domain at a source, for whoever fulfils it; of no effect once the domain has another source. */
  draft(domain: string, source: string): OrderDraft;
  /** At the start: takes all of them into memory, and lets go of what can't be opened. Never throws. */
  open(): void;
}

export interface Issued {
  readonly pair: CertificatePair;
  readonly facts: CertificateFacts;
  readonly source: string;
}

export interface StoredParts {
  readonly rows: CertificateRows;
  readonly box: SecretBox;
  readonly clock: Pick<Clock, "now">;
  readonly log: Log;
}

export function makeStored({ rows, box, clock, log }: StoredParts): Stored {
  const opened = new Map<string, CertificatePair>();

  /** Undefined where it is lost. A key ring that is not there may come back: then it throws, and nothing is let go. */
  function unsealed(sealed: Uint8Array, purpose: string): string | undefined {
    try {
      return box.open(sealed, purpose);
    } catch (error) {
      if (isVoxError(error) && error.code === "secret.unreadable") return undefined;
      throw error;
    }
  }

  function openRow(row: CertificateRow): void {
    const { domain, certificate, key, orderKey } = row;
    let left = row;
    if (certificate !== null && key !== null) {
      const plain = unsealed(key, certificatePurpose(domain));
      if (plain === undefined) left = { ...left, ...NO_CERTIFICATE, nextAt: timestamp(clock.now()) };
      else opened.set(domain, { cert: certificate, key: plain });
    }
    if (orderKey !== null && unsealed(orderKey, orderPurpose(domain)) === undefined)
      left = { ...left, orderUrl: null, orderKey: null };
    if (left === row) return;
    rows.put(left);
    log.warn("the key of a certificate can't be opened: another is got", { domain });
  }

  return {
    find: (domain) => opened.get(domain),
    rowWith: (row, { pair, facts, source }) => ({
      ...row,
      certificate: pair.cert,
      key: box.seal(pair.key, certificatePurpose(row.domain)),
      issuedBy: source,
      issuer: facts.issuer,
      notBefore: timestamp(facts.notBefore),
      notAfter: timestamp(facts.notAfter),
    }),
    keep: (domain, pair) => void opened.set(domain, pair),
    forget: (domain) => void opened.delete(domain),
    draft(domain, source) {
      const current = (): CertificateRow | undefined => {
        const row = rows.find(domain);
        return row?.source === source ? row : undefined;
      };
      return {
        find() {
          const { orderUrl = null, orderKey = null } = current() ?? {};
          if (orderUrl === null || orderKey === null) return undefined;
          return { url: orderUrl, key: box.open(orderKey, orderPurpose(domain)) };
        },
        save(url, key) {
          const row = current();
          if (row !== undefined)
            rows.put({ ...row, orderUrl: url, orderKey: box.seal(key, orderPurpose(domain)) });
        },
        drop() {
          const row = current();
          if (row !== undefined) rows.put({ ...row, orderUrl: null, orderKey: null });
        },
      };
    },
    open() {
      try {
        for (const row of rows.list()) openRow(row);
        for (const { directory, key } of rows.accounts())
          if (unsealed(key, accountPurpose(directory)) === undefined) rows.removeAccount(directory);
      } catch (error) {
        log.error("certificates can't be opened", { error: messageOf(error) });
      }
    },
  };
}

export function certificatePurpose(domain: string): string {
  return `certificate:${domain}`;
}

export function orderPurpose(domain: string): string {
  return `certificate-order:${domain}`;
}

// --- internal ---

const NO_CERTIFICATE = {
  certificate: null,
  key: null,
  issuedBy: null,
  issuer: null,
  notBefore: null,
  notAfter: null,
} as const;
