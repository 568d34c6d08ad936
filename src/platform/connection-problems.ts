/**
 * The codes with which the runtime says why no connection came about, in words that name no host. The runtime's own messages
 * may hold a whole URL: only the code is used. Pure. Used by whoever connects, so that the same trouble reads the same.
 */
import { systemCode } from "../base/errors.ts";

export interface ConnectionProblem {
  readonly words: string;
  /** Trying again will not help: somebody has to put it right. */
  readonly lasting: boolean;
}

export function connectionProblem(code: string): ConnectionProblem | undefined {
  const words = TRANSPORT[code];
  if (words !== undefined) return { words, lasting: false };
  const certificate = CERTIFICATE[code];
  return certificate === undefined ? undefined : { words: certificate, lasting: true };
}

/** True where no connection came about, so that another address may be tried without anything being sent twice. */
export function isUnconnected(error: unknown): boolean {
  return UNCONNECTED.has(systemCode(error) ?? "");
}

// --- internal ---

const UNCONNECTED = new Set([
  "ECONNREFUSED",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "EADDRNOTAVAIL",
  "EINVAL",
  "ETIMEDOUT",
]);

const TRANSPORT: Readonly<Record<string, string>> = {
  ECONNREFUSED: "connection refused",
  EHOSTUNREACH: "no route to the host",
  ENETUNREACH: "no route to the host",
  ETIMEDOUT: "no connection came about",
};

const CERTIFICATE: Readonly<Record<string, string>> = {
  ERR_TLS_CERT_ALTNAME_INVALID: "the certificate is for another name",
  CERT_HAS_EXPIRED: "the certificate has expired",
  CERT_NOT_YET_VALID: "the certificate is not valid yet",
  DEPTH_ZERO_SELF_SIGNED_CERT: "the certificate is self-signed",
  SELF_SIGNED_CERT_IN_CHAIN: "the certificate is not from a trusted authority",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "the certificate is not from a trusted authority",
  UNABLE_TO_GET_ISSUER_CERT: "the certificate is not from a trusted authority",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "the certificate is not from a trusted authority",
};
