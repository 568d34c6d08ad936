/** How a domain's certificate stands, as the API says it. Pure; no key comes here. Called by certificates.ts. */
import { timestamp } from "../../base/clock.ts";
import type { CertificateRow } from "../../state/certificates.ts";
import { SELF_SIGNED } from "./certificate-facts.ts";
import type { OwnFile, OwnFileProblem } from "./own-files.ts";
import type { TlsSettings } from "./tls-schema.ts";

export interface CertificateView {
  readonly domain: string;
  readonly service: string;
  /** `acme`, `self-signed` or `file`: who is to issue it; null where nobody is. */
  readonly source: "acme" | "self-signed" | "file" | null;
  readonly state: CertificateState;
  readonly issuer: string | null;
  readonly notBefore: string | null;
  readonly notAfter: string | null;
  /** When it is next tried to get one. */
  readonly nextTry: string | null;
  readonly lastTry: string | null;
  readonly failures: number;
  /** Why the last try failed, as one word and as the authority said it. */
  readonly problem: string | null;
  readonly error: string | null;
}

/**
 * `missing`: nothing is served. `stand-in`: self-signed, until the other comes. `ordering` and `renewing`: it is tried right now,
 * without and with a certificate that is served meanwhile.
 */
export type CertificateState = "valid" | "missing" | "expired" | "stand-in" | "ordering" | "renewing";

export function rowView(
  row: CertificateRow,
  service: string,
  { now, isTrying }: { readonly now: number; readonly isTrying: boolean },
): CertificateView {
  const { domain, issuer, notBefore, notAfter, failures, problem, error } = row;
  return {
    domain,
    service,
    source: row.source === SELF_SIGNED ? SELF_SIGNED : "acme",
    state: stateOf(row, now, isTrying),
    issuer,
    notBefore,
    notAfter,
    nextTry: row.nextAt,
    lastTry: row.triedAt,
    failures,
    problem,
    error,
  };
}

export function fileView(domain: string, service: string, file: OwnFile, now: number): CertificateView {
  const { facts, problem } = file;
  return {
    ...NOTHING,
    domain,
    service,
    source: "file",
    state: facts.notAfter <= now ? "expired" : "valid",
    issuer: facts.issuer,
    notBefore: timestamp(facts.notBefore),
    notAfter: timestamp(facts.notAfter),
    problem: problem === undefined ? null : "misconfigured",
    error: problem === undefined ? null : `tls.files.${file.name}: ${problem}`,
  };
}

/** Nobody issues for it, or nobody has looked yet. */
export function uncoveredView(
  domain: string,
  service: string,
  mode: TlsSettings["mode"],
  problems: readonly OwnFileProblem[],
): CertificateView {
  if (mode !== "files" && !domain.startsWith("*.")) return { ...NOTHING, domain, service };
  const unusable = problems.map(({ name, problem }) => `tls.files.${name}: ${problem}`);
  return {
    ...NOTHING,
    domain,
    service,
    problem: "misconfigured",
    error: [`no certificate of [tls.files] is for ${domain}`, ...unusable].join("; "),
  };
}

// --- internal ---

const NOTHING = {
  source: null,
  state: "missing",
  issuer: null,
  notBefore: null,
  notAfter: null,
  nextTry: null,
  lastTry: null,
  failures: 0,
  problem: null,
  error: null,
} as const;

function stateOf(row: CertificateRow, now: number, isTrying: boolean): CertificateState {
  const { certificate, notAfter, issuedBy, source } = row;
  if (certificate === null || notAfter === null) return isTrying ? "ordering" : "missing";
  if (isTrying) return "renewing";
  if (Date.parse(notAfter) <= now) return "expired";
  return issuedBy === SELF_SIGNED && source !== SELF_SIGNED ? "stand-in" : "valid";
}
