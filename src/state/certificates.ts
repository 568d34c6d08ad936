/**
 * The tables of certificates: what each domain has and when it is next looked after, and the accounts at authorities. Keys are sealed
 * before they come here and opened after they leave (engine/secret-box.ts). Called by engine/certs.
 */
import { inTransaction, type Database } from "./database.ts";

export interface CertificateRows {
  find(domain: string): CertificateRow | undefined;
  /** In the order of domains. */
  list(): readonly CertificateRow[];
  /** The whole row. */
  put(row: CertificateRow): void;
  remove(domain: string): void;
  account(directory: string): AcmeAccountRow | undefined;
  accounts(): readonly AcmeAccountRow[];
  putAccount(row: AcmeAccountRow): void;
  removeAccount(directory: string): void;
  /** All of `work` is on disk, or none. */
  readonly transaction: <T>(work: () => T) => T;
}

export interface CertificateRow {
  readonly domain: string;
  /** Who is to issue the next one: the URL of an authority's directory, or `self-signed`. */
  readonly source: string;
  /** What is served: the chain in PEM, and its key, sealed. Both or neither. */
  readonly certificate: string | null;
  readonly key: Uint8Array | null;
  /** Which source the certificate is from. */
  readonly issuedBy: string | null;
  /** What the certificate says of itself. */
  readonly issuer: string | null;
  readonly notBefore: string | null;
  readonly notAfter: string | null;
  /** When it is next tried to get one. */
  readonly nextAt: string;
  readonly triedAt: string | null;
  /** The authority asked not to be asked before. */
  readonly heldUntil: string | null;
  /** In a row. */
  readonly failures: number;
  readonly problem: string | null;
  readonly error: string | null;
  /** An order that is not done, and the key of what it is for, sealed. */
  readonly orderUrl: string | null;
  readonly orderKey: Uint8Array | null;
}

export interface AcmeAccountRow {
  readonly directory: string;
  /** null until the authority has said it. */
  readonly url: string | null;
  /** As it was told last. */
  readonly email: string | null;
  /** Sealed. */
  readonly key: Uint8Array;
}

export function makeCertificateRows(db: Database): CertificateRows {
  const accountColumns = "directory, url, email, key FROM acme_accounts";
  return {
    find: (domain) =>
      db.query<CertificateRow, [string]>(`SELECT ${SELECTED} WHERE domain = ?`).get(domain) ?? undefined,
    list: () => db.query<CertificateRow, []>(`SELECT ${SELECTED} ORDER BY domain`).all(),
    put(row) {
      db.query(
        `INSERT OR REPLACE INTO certificates (${NAMES.map(([column]) => column).join(", ")})
         VALUES (${NAMES.map(() => "?").join(", ")})`,
      ).run(...NAMES.map(([, key]) => row[key]));
    },
    remove(domain) {
      db.query("DELETE FROM certificates WHERE domain = ?").run(domain);
    },
    account: (directory) =>
      db.query<AcmeAccountRow, [string]>(`SELECT ${accountColumns} WHERE directory = ?`).get(directory) ??
      undefined,
    accounts: () => db.query<AcmeAccountRow, []>(`SELECT ${accountColumns} ORDER BY directory`).all(),
    putAccount({ directory, url, email, key }) {
      db.query("INSERT OR REPLACE INTO acme_accounts (directory, url, email, key) VALUES (?, ?, ?, ?)").run(
        directory,
        url,
        email,
        key,
      );
    },
    removeAccount(directory) {
      db.query("DELETE FROM acme_accounts WHERE directory = ?").run(directory);
    },
    transaction: (work) => inTransaction(db, work),
  };
}

// --- internal ---

const NAMES: readonly (readonly [column: string, key: keyof CertificateRow])[] = [
  ["domain", "domain"],
  ["source", "source"],
  ["certificate", "certificate"],
  ["key", "key"],
  ["issued_by", "issuedBy"],
  ["issuer", "issuer"],
  ["not_before", "notBefore"],
  ["not_after", "notAfter"],
  ["next_at", "nextAt"],
  ["tried_at", "triedAt"],
  ["held_until", "heldUntil"],
  ["failures", "failures"],
  ["problem", "problem"],
  ["error", "error"],
  ["order_url", "orderUrl"],
  ["order_key", "orderKey"],
];

const SELECTED = `${NAMES.map(([column, key]) => `${column} AS ${key}`).join(", ")} FROM certificates`;
