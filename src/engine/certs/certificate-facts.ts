/**
 * A certificate and its key as the engine passes them around, and what is in them. Pure. No error repeats a key. Called by
 * everything in engine/certs that takes a certificate from somebody.
 */
import { createPrivateKey, X509Certificate } from "node:crypto";
import { fail } from "../../base/errors.ts";
import { quote } from "../../base/text.ts";

/** PEM both: the chain, the domain's own certificate first, and the private key. */
export interface CertificatePair {
  readonly cert: string;
  readonly key: string;
}

export interface CertificateFacts {
  /** Who signed it, as short as people know it. */
  readonly issuer: string;
  /** Milliseconds since 1970. */
  readonly notBefore: number;
  readonly notAfter: number;
  /** Lower case; `*.example.com` stands for one label. */
  readonly names: readonly string[];
}

/** Throws `certificate.unusable` where it is no certificate, or the key is not the one that belongs to it. */
export function checkPair({ cert, key }: CertificatePair): CertificateFacts {
  const certificate = parsed(cert);
  if (!certificate.checkPrivateKey(privateKey(key)))
    throw fail("certificate.unusable", "the key does not belong to the certificate");
  return factsOf(certificate);
}

/** Whether one of the names is the domain, or a wildcard that it falls under. */
export function covers(names: readonly string[], domain: string): boolean {
  return names.includes(domain) || names.includes(wildcardOf(domain));
}

/** `*.example.com` for `www.example.com`. */
export function wildcardOf(domain: string): string {
  return domain.replace(/^[^.]*/, "*");
}

// --- internal ---

function parsed(cert: string): X509Certificate {
  try {
    return new X509Certificate(cert);
  } catch {
    throw fail("certificate.unusable", "there is no certificate in PEM in it");
  }
}

/** The parser's own words stay out: they are about the key. */
function privateKey(key: string): ReturnType<typeof createPrivateKey> {
  try {
    return createPrivateKey(key);
  } catch {
    throw fail("certificate.unusable", "there is no private key in PEM without a password in it");
  }
}

function factsOf(certificate: X509Certificate): CertificateFacts {
  const { issuer, subject, subjectAltName } = certificate;
  const notBefore = Date.parse(certificate.validFrom);
  const notAfter = Date.parse(certificate.validTo);
  if (Number.isNaN(notBefore) || Number.isNaN(notAfter))
    throw fail("certificate.unusable", `its life can't be read: ${quote(certificate.validTo)}`);
  const names = [...(subjectAltName ?? "").matchAll(/(?:^|, )DNS:([^,"\s]+)/g)];
  return {
    issuer: issuer === subject ? SELF_SIGNED : shortName(issuer),
    notBefore,
    notAfter,
    names: names.map(([, name = ""]) => name.toLowerCase()),
  };
}

/** As `cert list` and events call the issuer of what nobody else signed. */
export const SELF_SIGNED = "self-signed";

/** The lines of a distinguished name: the common name says most. */
function shortName(name: string): string {
  const part = (key: string): string | undefined => new RegExp(`^${key}=(.+)$`, "m").exec(name)?.[1];
  return part("CN") ?? part("O") ?? name.replaceAll("\n", ", ");
}
