/**
 * The `hosts` scope of network_outbound: `example.com`, `*.example.com` (every name below it, not itself), either with
 * `:port`. Without a port every port is meant. Pure. Used by reach.ts, and where a grant or a manifest names a scope.
 */
import { isIP } from "node:net";

export interface HostRule {
  readonly host: string;
  readonly below: boolean;
  readonly port: number | undefined;
}

/** Undefined for what is no such entry. Names may be written as people write them (capitals, umlauts). */
export function parseHostRule(text: string): HostRule | undefined {
  const parts = /^(\*\.)?(\[[\da-fA-F:.]+\]|[^\s:/?#@[\]\\*]+)(?::(\d{1,5}))?$/.exec(text);
  const written = parts?.[2];
  const url = written === undefined ? null : URL.parse(`http://${written}/`);
  if (url === null) return undefined;
  const host = url.hostname.replace(/^\[|\]$/g, "").replace(/\.$/, "");
  const below = parts?.[1] !== undefined;
  const port = parts?.[3] === undefined ? undefined : Number(parts[3]);
  if (!/^[a-z0-9._:-]+$/.test(host) || (below && isIP(host) !== 0)) return undefined;
  return port !== undefined && (port < 1 || port > 65_535) ? undefined : { host, below, port };
}

/** An entry that can't be read allows nothing; so does an empty list. */
export function isInHostScope(
  scope: readonly string[],
  target: { readonly host: string; readonly port: number },
): boolean {
  return scope.some((entry) => {
    const rule = parseHostRule(entry);
    if (rule === undefined || (rule.port !== undefined && rule.port !== target.port)) return false;
    return rule.below ? target.host.endsWith(`.${rule.host}`) : target.host === rule.host;
  });
}
