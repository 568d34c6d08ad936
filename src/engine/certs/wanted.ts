/**
 * Which domains want a certificate of the daemon's, and from whom: those of live services for which the operator brought no file. A domain
 * that leaves keeps what it has, in case it comes back, but is no longer renewed. Called by keeper.ts and certificates.ts.
 */
import { timestamp, type Clock } from "../../base/clock.ts";
import type { CertificateRow, CertificateRows } from "../../state/certificates.ts";
import { SELF_SIGNED } from "./certificate-facts.ts";
import type { OwnFiles } from "./own-files.ts";
import type { TlsSettings } from "./tls-schema.ts";

export interface Wanted {
  /** In order. */
  domains(): readonly WantedDomain[];
  /** Who issues for the domain; undefined where files do, or nobody. */
  sourceOf(domain: string): string | undefined;
  /** Brings the rows in line; gives those that are wanted, and the domains that were let go. */
  update(): { readonly rows: readonly CertificateRow[]; readonly gone: readonly string[] };
}

export interface WantedDomain {
  readonly domain: string;
  readonly service: string;
}

export interface WantedParts {
  readonly domains: () => readonly WantedDomain[];
  readonly settings: () => TlsSettings;
  readonly files: Pick<OwnFiles, "find">;
  readonly rows: CertificateRows;
  readonly clock: Pick<Clock, "now">;
}

export function makeWanted({ domains, settings, files, rows, clock }: WantedParts): Wanted {
  function sourceOf(domain: string): string | undefined {
    if (files.find(domain) !== undefined) return undefined;
    const { mode, acme_directory: directory, fallback } = settings();
    // By HTTP an authority can be shown one name, not all that a wildcard stands for.
    if (mode === "acme" && !domain.startsWith("*.")) return directory;
    return mode === "self-signed" || fallback === "self-signed" ? SELF_SIGNED : undefined;
  }

  /** As a row that is to be looked after from its source on, at once where that is another. */
  function rowFor(domain: string, source: string, row: CertificateRow | undefined): CertificateRow {
    if (row?.source === source) return row;
    const now = timestamp(clock.now());
    const fresh = { ...(row ?? emptyRow(domain)), ...UNTRIED, source, nextAt: now };
    rows.put(fresh);
    return fresh;
  }

  return {
    domains,
    sourceOf,
    update() {
      const now = timestamp(clock.now());
      const known = new Map(rows.list().map((row) => [row.domain, row]));
      const sources = new Map(domains().map(({ domain }) => [domain, sourceOf(domain)]));
      const gone = [...known.values()]
        .filter(({ domain, notAfter }) => sources.get(domain) === undefined && (notAfter ?? "") <= now)
        .map(({ domain }) => domain);
      return rows.transaction(() => {
        for (const domain of gone) rows.remove(domain);
        const wanted = [...sources].flatMap(([domain, source]) =>
          source === undefined ? [] : [rowFor(domain, source, known.get(domain))],
        );
        return { rows: wanted, gone };
      });
    },
  };
}

// --- internal ---

/** Another source has another order, and other reasons to fail. */
const UNTRIED = {
  triedAt: null,
  heldUntil: null,
  failures: 0,
  problem: null,
  error: null,
  orderUrl: null,
  orderKey: null,
} as const;

function emptyRow(domain: string): Omit<CertificateRow, "source" | "nextAt"> {
  return {
    domain,
    certificate: null,
    key: null,
    issuedBy: null,
    issuer: null,
    notBefore: null,
    notAfter: null,
    ...UNTRIED,
  };
}
