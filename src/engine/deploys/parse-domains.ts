/**
 * Reads the names by which a service is reached: `app.example.org`, `*.example.org` for all names one label below, and with a path
 * `example.org/api`. Pure. Called by deploy-input.ts.
 */
import { domainToASCII } from "node:url";
import { fail } from "../../base/errors.ts";
import { quote } from "../../base/text.ts";

/** Lower case, without a final dot, in ASCII (`xn--…`), each once. */
export function parseDomains(domains: readonly string[]): readonly string[] {
  return [...new Set(domains.map(parseDomain))];
}

// --- internal ---

function parseDomain(text: string): string {
  const trimmed = text.trim();
  const slash = trimmed.indexOf("/");
  const host = slash < 0 ? trimmed : trimmed.slice(0, slash);
  const path = slash < 0 ? "" : trimmed.slice(slash).replace(/\/+$/, "");
  const star = host.startsWith("*.") ? "*." : "";
  const name = host.slice(star.length).replace(/\.$/, "");
  const domain = PLAIN.test(name) ? domainToASCII(name).toLowerCase() : "";
  if (domain.length <= 253 && LABELS.test(domain) && !NUMERIC.test(domain) && isPath(path))
    return `${star}${domain}${path}`;
  throw fail(
    "service.invalid",
    `a domain is a host name such as app.example.com, *.example.com or example.com/api, and got ${quote(text)}`,
    { hint: text.includes("://") ? "leave out the scheme" : undefined },
  );
}

/** As clients send it: nothing in it could be read as another path, or as more than one. */
function isPath(path: string): boolean {
  return path === "" || (path.length <= 1000 && PATH.test(path) && !DOTS.test(path));
}

const PATH = /^(?:\/[A-Za-z0-9._~@:+,=-]+)+$/;
const DOTS = /\/\.\.?(?:\/|$)/;

/** Letters of any script; the conversion to ASCII would read a path or a port as more than a name. */
const PLAIN = /^[\p{L}\p{M}\p{N}.-]+$/u;
const LABELS = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*$/;
/** An IPv4 address is no name. */
const NUMERIC = /^[\d.]+$/;
