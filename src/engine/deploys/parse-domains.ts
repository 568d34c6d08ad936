/** Reads the names by which a service is reached. Pure. Called by deploy-input.ts. */
import { domainToASCII } from "node:url";
import { fail } from "../../base/errors.ts";
import { quote } from "../../base/text.ts";

/** Lower case, without a final dot, in ASCII (`xn--…`), each once. */
export function parseDomains(domains: readonly string[]): readonly string[] {
  return [...new Set(domains.map(parseDomain))];
}

// --- internal ---

function parseDomain(text: string): string {
  const name = text.trim().replace(/\.$/, "");
  const domain = PLAIN.test(name) ? domainToASCII(name).toLowerCase() : "";
  if (domain.length <= 253 && LABELS.test(domain) && !NUMERIC.test(domain)) return domain;
  throw fail("service.invalid", `a domain is a host name such as app.example.com, and got ${quote(text)}`, {
    hint: text.includes("/") ? "leave out the scheme and the path" : undefined,
  });
}

/** Letters of any script; the conversion to ASCII would read a path or a port as more than a name. */
const PLAIN = /^[\p{L}\p{M}\p{N}.-]+$/u;
const LABELS = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*$/;
/** An IPv4 address is no name. */
const NUMERIC = /^[\d.]+$/;
