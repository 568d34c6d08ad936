/**
 * Decides whether an IP address is a public one, and what the operator's `[network] allow_private` adds to that.
 * Pure: it resolves nothing. Whatever can't be read as a plain address is refused. Used by the fetch of plugins.
 */
import { isIP } from "node:net";
import ipaddr from "ipaddr.js";

/** Why this address may not be reached as `target`, in words such as "a loopback address"; undefined where it may. */
export type AddressPolicy = (
  address: string,
  target: { readonly host: string; readonly port: number },
) => string | undefined;

/** One entry of `allow_private`: a network, or one host (a name or an address) at one port. */
export type PrivateRule =
  | { readonly network: Network }
  | { readonly host: string; readonly port: number; readonly address: Address | undefined };

/** Refuses all that is not public, but for what a rule names. */
export function makeAddressPolicy(rules: readonly PrivateRule[]): AddressPolicy {
  return (address, target) => {
    const reason = refusalOf(address);
    return reason !== undefined && rules.some((rule) => allows(rule, address, target)) ? undefined : reason;
  };
}

/** What kind of address it is if it is not a public one. */
export function refusalOf(text: string): string | undefined {
  const address = parseAddress(text);
  if (address === undefined) return "not a plain IP address";
  const special = SPECIAL.find(({ network }) => contains(network, address));
  if (special !== undefined) return special.words;
  return address.kind() === "ipv4" || contains(GLOBAL_IPV6, address) ? undefined : "a reserved address";
}

/** `10.0.0.0/8`, `fd00::/8`, `db.internal:5432`, `127.0.0.1:9000`, `[::1]:9000`; undefined for anything else. */
export function parsePrivateRule(text: string): PrivateRule | undefined {
  const slash = /^([^/]+)\/(\d{1,3})$/.exec(text);
  if (slash?.[1] !== undefined) {
    const base = parseAddress(slash[1]);
    const bits = Number(slash[2]);
    if (base === undefined || bits > (base.kind() === "ipv4" ? 32 : 128)) return undefined;
    return { network: [base, bits] };
  }
  const pair = /^(?:\[([^\]]+)\]|([\w.-]+)):(\d{1,5})$/.exec(text);
  const host = (pair?.[1] ?? pair?.[2])?.toLowerCase();
  const port = Number(pair?.[3]);
  if (host === undefined || port < 1 || port > 65_535) return undefined;
  const address = parseAddress(host);
  if (pair?.[1] !== undefined && address?.kind() !== "ipv6") return undefined;
  return { host: host.replace(/\.$/, ""), port, address };
}

// --- internal ---

type Address = ipaddr.IPv4 | ipaddr.IPv6;
type Network = readonly [Address, number];

/** Strict: no short, octal or hexadecimal forms and no zones. ipaddr.js alone would take them. */
function parseAddress(text: string): Address | undefined {
  return isIP(text) === 0 || text.includes("%") ? undefined : ipaddr.parse(text);
}

function contains([base, bits]: Network, address: Address): boolean {
  if (address instanceof ipaddr.IPv4) return base instanceof ipaddr.IPv4 && address.match(base, bits);
  return base instanceof ipaddr.IPv6 && address.match(base, bits);
}

function allows(
  rule: PrivateRule,
  text: string,
  target: { readonly host: string; readonly port: number },
): boolean {
  const address = parseAddress(text);
  if (address === undefined) return false;
  if ("network" in rule) return contains(rule.network, address);
  if (rule.port !== target.port) return false;
  return rule.address === undefined
    ? rule.host === target.host
    : rule.address.toString() === address.toString();
}

function network(text: string): Network {
  return ipaddr.parseCIDR(text);
}

/** The only IPv6 block from which global unicast addresses are given out. */
const GLOBAL_IPV6 = network("2000::/3");

/** IANA's special-purpose registries, and the addresses at which clouds hand credentials to whoever asks. */
const SPECIAL: readonly { readonly network: Network; readonly words: string }[] = (
  [
    ["169.254.169.254/32", "a cloud metadata address"],
    ["169.254.170.2/32", "a cloud metadata address"],
    ["168.63.129.16/32", "a cloud metadata address"],
    ["100.100.100.200/32", "a cloud metadata address"],
    ["192.0.0.192/32", "a cloud metadata address"],
    ["fd00:ec2::254/128", "a cloud metadata address"],
    ["0.0.0.0/8", "an unspecified address"],
    ["10.0.0.0/8", "a private address"],
    ["100.64.0.0/10", "a carrier-grade NAT address"],
    ["127.0.0.0/8", "a loopback address"],
    ["169.254.0.0/16", "a link-local address"],
    ["172.16.0.0/12", "a private address"],
    ["192.0.0.0/24", "a reserved address"],
    ["192.0.2.0/24", "a documentation address"],
    ["192.31.196.0/24", "a reserved address"],
    ["192.52.193.0/24", "a reserved address"],
    ["192.88.99.0/24", "a 6to4 relay address"],
    ["192.168.0.0/16", "a private address"],
    ["192.175.48.0/24", "a reserved address"],
    ["198.18.0.0/15", "a benchmark address"],
    ["198.51.100.0/24", "a documentation address"],
    ["203.0.113.0/24", "a documentation address"],
    ["224.0.0.0/4", "a multicast address"],
    ["255.255.255.255/32", "a broadcast address"],
    ["240.0.0.0/4", "a reserved address"],
    ["::/128", "an unspecified address"],
    ["::1/128", "a loopback address"],
    ["::ffff:0:0/96", "an IPv4-mapped address"],
    ["::/96", "an IPv4-compatible address"],
    ["64:ff9b::/96", "a NAT64 address"],
    ["64:ff9b:1::/48", "a NAT64 address"],
    ["100::/64", "a discard address"],
    ["2001::/32", "a Teredo address"],
    ["2001::/23", "a reserved address"],
    ["2001:db8::/32", "a documentation address"],
    ["2002::/16", "a 6to4 address"],
    ["2620:4f:8000::/48", "a reserved address"],
    ["3fff::/20", "a documentation address"],
    ["fc00::/7", "a private address"],
    ["fe80::/10", "a link-local address"],
    ["fec0::/10", "a site-local address"],
    ["ff00::/8", "a multicast address"],
  ] as const
).map(([text, words]) => ({ network: network(text), words }));
