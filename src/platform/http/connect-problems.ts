/**
 * What a failed connection is called. The runtime's own messages hold the whole URL, and with it what may be secret: only the
 * code is used. Called by open-http.ts and by tcp/dial.ts.
 */
import { systemCode } from "../../base/errors.ts";

/** Words for the reason, such as "connection refused"; `otherwise` where there are none. */
export function connectProblem(error: unknown, otherwise: string): string {
  return PROBLEMS[systemCode(error) ?? ""] ?? otherwise;
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

const PROBLEMS: Readonly<Record<string, string>> = {
  ECONNREFUSED: "connection refused",
  ECONNRESET: "the connection was closed before an answer came",
  EHOSTUNREACH: "no route to the host",
  ENETUNREACH: "no route to the host",
  ETIMEDOUT: "no connection came about",
  Malformed_HTTP_Response: "the answer is no HTTP",
  ResponseHeadersTooLarge: "the answer's headers are too large",
  UnrequestedUpgrade: "the answer changes to another protocol",
  ERR_TLS_CERT_ALTNAME_INVALID: "the certificate is for another name",
  CERT_HAS_EXPIRED: "the certificate has expired",
  DEPTH_ZERO_SELF_SIGNED_CERT: "the certificate is self-signed",
  SELF_SIGNED_CERT_IN_CHAIN: "the certificate is not from a trusted authority",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "the certificate is not from a trusted authority",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "the certificate is not from a trusted authority",
};
