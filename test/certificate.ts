/**
 * Certificates for local servers and their clients, made with node:crypto alone: the smallest X.509 v3 that a TLS client accepts when
 * it is given the certificate, or the one that signed it, as its only trusted one.
 */
import { createHash, generateKeyPairSync, sign, X509Certificate } from "node:crypto";
import { isIP } from "node:net";

export interface Certificate {
  /** PEM; also what a client must trust. */
  readonly cert: string;
  readonly key: string;
}

/** Valid from yesterday to tomorrow, for all of `names` (host names or IPv4 addresses). */
export function makeCertificate(...names: readonly string[]): Certificate {
  return issueCertificate({ names });
}

export interface Issue {
  /** The first is the subject's name too. */
  readonly names: readonly string[];
  /** Who signs; without one it signs itself, and may sign others. */
  readonly issuer?: Certificate | undefined;
  /** In days from now. */
  readonly from?: number | undefined;
  readonly to?: number | undefined;
}

/** Another than `makeCertificate`: signed by somebody, or out of time. */
export function issueCertificate({ names, issuer, from = -1, to = 1 }: Issue): Certificate {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const spki = publicKey.export({ type: "spki", format: "der" });
  const subject = sequence(set(sequence(oid("550403"), der(0x0c, Buffer.from(names[0] ?? "test")))));
  const ecdsa = sequence(oid("2a8648ce3d040302"));
  const day = 86_400_000;
  const alternatives = extension("551d11", sequence(...names.map(alternativeName)));
  const tbs = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, Buffer.concat([Buffer.from([1]), createHash("sha256").update(spki).digest().subarray(0, 8)])),
    ecdsa,
    issuer === undefined ? subject : subjectOf(issuer),
    sequence(time(Date.now() + from * day), time(Date.now() + to * day)),
    subject,
    spki,
    der(0xa3, sequence(alternatives, ...(issuer === undefined ? [isAuthority] : []))),
  );
  const signature = sign("sha256", tbs, issuer?.key ?? privateKey);
  const whole = sequence(tbs, ecdsa, der(0x03, Buffer.concat([Buffer.from([0]), signature])));
  const lines = whole
    .toString("base64")
    .match(/.{1,64}/g)
    ?.join("\n");
  return {
    cert: `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`,
    key: privateKey.export({ type: "pkcs8", format: "pem" }),
  };
}

// --- internal ---

/** The issuer's name as it is written in its own certificate. */
function subjectOf({ cert }: Certificate): Buffer {
  const name = new X509Certificate(cert).subject.replace(/^CN=/, "");
  return sequence(set(sequence(oid("550403"), der(0x0c, Buffer.from(name)))));
}

function der(tag: number, content: Uint8Array): Buffer {
  const size = content.length;
  const length = size < 128 ? [size] : size < 256 ? [0x81, size] : [0x82, size >> 8, size & 255];
  return Buffer.concat([Buffer.from([tag, ...length]), content]);
}

function sequence(...parts: readonly Uint8Array[]): Buffer {
  return der(0x30, Buffer.concat(parts));
}

function set(...parts: readonly Uint8Array[]): Buffer {
  return der(0x31, Buffer.concat(parts));
}

function oid(hex: string): Buffer {
  return der(0x06, Buffer.from(hex, "hex"));
}

function time(ms: number): Buffer {
  return der(0x18, Buffer.from(new Date(ms).toISOString().replaceAll(/[-:T]|\.\d+/g, "")));
}

function extension(id: string, value: Uint8Array): Buffer {
  return sequence(oid(id), der(0x04, value));
}

const isAuthority = extension("551d13", sequence(der(0x01, Buffer.from([0xff]))));

function alternativeName(name: string): Buffer {
  return isIP(name) === 4
    ? der(0x87, Buffer.from(name.split(".").map(Number)))
    : der(0x82, Buffer.from(name));
}
