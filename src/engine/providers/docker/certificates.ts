/**
 * The three files with which the engine of a server is reached: who signed its certificate, and our own certificate with its key.
 * Read anew for each connection, so that new ones count without a word. Called by engine-agent.ts and doctor-servers.ts.
 */
import { createPrivateKey, X509Certificate, type KeyObject } from "node:crypto";
import { closeSync, constants, fstatSync, openSync, readFileSync, type Stats } from "node:fs";
import { fail, isVoxError, unreadableBecause } from "../../../base/errors.ts";
import { SERVER_LIMITS } from "../../../base/server-limits.ts";

/** Absolute paths of PEM files. */
export interface CertificateFiles {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

export interface Certificates {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
  /** When our own is no longer valid. */
  readonly expiresMs: number;
}

/** Throws `server.files_invalid`; no error has anything of a file's content. */
export function readCertificates(files: CertificateFiles, nowMs: number): Certificates {
  const ca = readPem("ca", files.ca);
  const cert = readPem("cert", files.cert);
  const key = readPem("key", files.key, checkPrivate);
  certificateIn("ca", files.ca, ca);
  const own = certificateIn("cert", files.cert, cert);
  if (!own.checkPrivateKey(keyIn(files.key, key)))
    throw invalid("key", files.key, `is not the key of the certificate ${files.cert}`);
  const [from, to] = [Date.parse(own.validFrom), Date.parse(own.validTo)];
  if (nowMs > to) throw invalid("cert", files.cert, `was valid until ${own.validTo}`, RENEW);
  if (nowMs < from) throw invalid("cert", files.cert, `is valid from ${own.validFrom} on`, CLOCK);
  return { ca, cert, key, expiresMs: to };
}

// --- internal ---

type Key = keyof CertificateFiles;

const RENEW = "make a new certificate; it is read with the next connection";
const CLOCK = "look at this machine's clock";

function invalid(key: Key, path: string, what: string, hint?: string): Error {
  return fail("server.files_invalid", `${key}: ${path} ${what}`, { hint, details: { key, path } });
}

function readPem(key: Key, path: string, check?: (stat: Stats, path: string) => void): string {
  try {
    // Opening a pipe without this would wait for somebody who writes to it.
    const descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const stat = fstatSync(descriptor);
      if (!stat.isFile()) throw invalid(key, path, "is no plain file");
      if (stat.size > SERVER_LIMITS.fileBytes)
        throw invalid(key, path, `has more than ${SERVER_LIMITS.fileBytes} bytes`);
      check?.(stat, path);
      return readFileSync(descriptor, "latin1");
    } finally {
      closeSync(descriptor);
    }
  } catch (error) {
    if (isVoxError(error)) throw error;
    throw invalid(key, path, `can't be read: ${unreadableBecause(error)}`);
  }
}

/** Whoever has the key is root on the server. */
function checkPrivate({ mode, uid }: Stats, path: string): void {
  const open = mode & 0o777;
  if ((open & 0o077) !== 0)
    throw invalid("key", path, `has mode ${open.toString(8)} and others may read it`, `chmod 600 ${path}`);
  if (uid !== 0 && uid !== process.getuid?.())
    throw invalid(
      "key",
      path,
      `belongs to user ${uid}, who may read it`,
      "give it to the daemon's user, or to root",
    );
}

function certificateIn(key: Key, path: string, pem: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch {
    throw invalid(key, path, "holds no certificate", "it must be PEM: -----BEGIN CERTIFICATE-----");
  }
}

function keyIn(path: string, pem: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch {
    throw invalid("key", path, "holds no private key", "it must be PEM, and without a password");
  }
}
