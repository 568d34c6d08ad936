/**
 * Reads a URL that someone else wrote into the one form that is checked and then connected to. Pure. The URL parser has
 * already turned the odd spellings of an address (octal, hexadecimal, short, full-width) into plain ones; what is left is
 * either an address or a name of letters, digits, dots and hyphens. Called by open-http.ts and by the families that check.
 */
import { isIP } from "node:net";
import { fail } from "../../base/errors.ts";
import { LIMITS } from "../../base/limits.ts";
import { quote } from "../../base/text.ts";
import type { Place } from "./look-up.ts";

export interface Target extends Place {
  readonly scheme: "http" | "https";
  /** `scheme://host:port`, the port only where it is not the scheme's own. */
  readonly origin: string;
  /** What the Host header says: host, and the port where it is not the scheme's own. */
  readonly authority: string;
  /** Path and query, encoded; never a fragment. */
  readonly path: string;
  /** Path alone. */
  readonly pathname: string;
}

/** Throws `capability.invalid_params` for what is no URL, `capability.out_of_scope` for what no grant can open. */
export function parseTarget(text: string): Target {
  if (text.length > LIMITS.fetchUrlChars)
    throw invalid(`a URL of at most ${LIMITS.fetchUrlChars} characters is wanted, this has ${text.length}`);
  // A host of combining marks costs its parser their number squared, and the parser runs where the daemon does.
  if ((text.match(/[\u0080-\uffff]/g)?.length ?? 0) > NON_ASCII_MAX)
    throw invalid(
      `a URL with at most ${NON_ASCII_MAX} characters beyond ASCII is wanted: write the others as %XX`,
    );
  const url = URL.parse(text);
  if (url === null) throw invalid(`an absolute URL is wanted, found ${quote(text)}`);
  const scheme = SCHEMES[url.protocol];
  if (scheme === undefined)
    throw fail("capability.out_of_scope", `only http and https can be fetched, found ${quote(url.protocol)}`);
  if (url.username !== "" || url.password !== "")
    throw invalid("a URL without user and password is wanted; send an Authorization header");

  const { host, isAddress } = readHost(url);
  const port = url.port === "" ? scheme.port : Number(url.port);
  if (BLOCKED_PORTS.has(port))
    throw fail("capability.out_of_scope", `port ${port} belongs to another protocol than HTTP`);

  const authority = url.port === "" ? bracketed(host) : `${bracketed(host)}:${port}`;
  return {
    scheme: scheme.name,
    host,
    port,
    origin: `${scheme.name}://${authority}`,
    authority,
    isAddress,
    path: url.pathname + url.search,
    pathname: url.pathname,
  };
}

/**
 * A host by itself, read as it would be in a URL: the odd spellings of an address become plain ones here too. Throws
 * `capability.invalid_params`. Any port is one: what speaks over it is the plugin's own business.
 */
export function parsePlace(text: string, port: number): Place & { readonly authority: string } {
  const written = text.includes(":") && !text.startsWith("[") ? `[${text}]` : text;
  // What a URL parser would drop, decode, or read as the end of the host.
  const url = /^(?:\[[\da-fA-F:.]+\]|[^\p{Cc}\p{Z}\\/?#@%:[\]<>^|]{1,253})$/u.test(written)
    ? URL.parse(`http://${written}/`)
    : null;
  if (url === null) throw invalid(`a host name or an address is wanted, found ${quote(text)}`);
  const host = readHost(url);
  return { ...host, port, authority: `${bracketed(host.host)}:${port}` };
}

// --- internal ---

const NON_ASCII_MAX = 256;

function readHost(url: URL): Pick<Place, "host" | "isAddress"> {
  const host = url.hostname.replace(/^\[|\]$/g, "").replace(/\.$/, "");
  const isAddress = isIP(host) !== 0;
  if (!isAddress && !isName(host)) throw invalid(`${quote(url.hostname)} is no host name`);
  return { host, isAddress };
}

function bracketed(host: string): string {
  return host.includes(":") ? `[${host}]` : host;
}

interface Scheme {
  readonly name: "http" | "https";
  readonly port: number;
}

const SCHEMES: Readonly<Record<string, Scheme>> = {
  "http:": { name: "http", port: 80 },
  "https:": { name: "https", port: 443 },
};

/** Narrower than what a URL may hold: a name ends up in advice that an operator may paste into a shell. */
function isName(host: string): boolean {
  return (
    host.length <= 253 &&
    host.split(".").every((label) => /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/.test(label))
  );
}

function invalid(message: string): Error {
  return fail("capability.invalid_params", message);
}

/** The ports that the Fetch standard blocks: servers of line-based protocols would read a request as their own commands. */
const BLOCKED_PORTS: ReadonlySet<number> = new Set([
  0, 1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101, 102, 103, 104,
  109, 110, 111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179, 389, 427, 465, 512, 513, 514, 515,
  526, 530, 531, 532, 540, 548, 554, 556, 563, 587, 601, 636, 989, 990, 993, 995, 1719, 1720, 1723, 2049,
  3659, 4045, 4190, 5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080,
]);
