/**
 * A fixed address on this host, as `--publish [ADDR:]PORT` writes it. Pure.
 * Called by engine/deploys/deploy-input.ts and by whatever opens or shows one.
 */
import ipaddr from "ipaddr.js";
import { fail } from "../../base/errors.ts";
import { quote } from "../../base/text.ts";

export interface Address {
  /** An IP address; `0.0.0.0` and `::` stand for all of them. */
  readonly host: string;
  readonly port: number;
}

/** Accepts `8080`, `127.0.0.1:8080`, `[::1]:8080`; a port alone means every address of the host. */
export function parseAddress(text: string): Address {
  const match = /^(?:(?:\[([^\]]*)\]|([^:]*)):)?(\d{1,5})$/.exec(text.trim());
  const port = Number(match?.[3]);
  if (match === null || port < 1 || port > 65_535) throw refused(text);
  const [, six, four] = match;
  if (six !== undefined) {
    if (!ipaddr.IPv6.isValid(six) || six.includes("%")) throw refused(text);
    return { host: ipaddr.IPv6.parse(six).toString(), port };
  }
  if (four !== undefined && !ipaddr.IPv4.isValidFourPartDecimal(four)) throw refused(text);
  return { host: four ?? "0.0.0.0", port };
}

export function formatAddress(address: Address): string {
  return address.host.includes(":") ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`;
}

/** Whether one listener would be in the way of the other. */
export function overlaps(a: Address, b: Address): boolean {
  return a.port === b.port && (a.host === b.host || isEvery(a.host) || isEvery(b.host));
}

// --- internal ---

function isEvery(host: string): boolean {
  return host === "0.0.0.0" || host === "::";
}

function refused(text: string): Error {
  return fail("service.invalid", `publish takes [ADDRESS:]PORT with an IP address, and got ${quote(text)}`, {
    hint: "for example 8080, or 127.0.0.1:8080 to be reachable from this host only",
  });
}
