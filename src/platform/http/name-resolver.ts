/**
 * Name look-up for names that plugins choose: the hosts file, then DNS, asked without holding a thread. The system's own look-up
 * (resolve.ts) holds one of the few threads that also read files until the last name server was given up: a name that is never
 * answered would hold up the daemon. Configuration is read anew at each look-up. Called by daemon/compose.ts.
 */
import { Resolver as DnsResolver } from "node:dns/promises";
import { readFile, stat } from "node:fs/promises";
import { LIMITS } from "../../base/limits.ts";
import type { Resolver } from "./resolve.ts";

export interface NameFiles {
  readonly hosts: string;
  readonly resolvConf: string;
}

export function makeNameResolver(files: NameFiles = SYSTEM): Resolver {
  const hosts = makeHosts(files.hosts);
  return async (host, signal) => {
    if (host === "localhost" || host.endsWith(".localhost")) return LOOPBACK;
    const known = (await hosts()).get(host);
    if (known !== undefined) return known;
    // Without a dot it is a name of the own network, as elsewhere.
    const names = host.includes(".") ? [host] : await searched(host, files.resolvConf);
    let failure: unknown;
    for (const name of names) {
      try {
        return await asked(name, signal);
      } catch (error) {
        failure = error;
        signal?.throwIfAborted();
      }
    }
    throw failure;
  };
}

// --- internal ---

const SYSTEM: NameFiles = { hosts: "/etc/hosts", resolvConf: "/etc/resolv.conf" };
const LOOPBACK = ["127.0.0.1", "::1"];

/** Both kinds of address; rejects where there is none. Each look-up has a resolver of its own, which reads the name servers. */
async function asked(name: string, signal: AbortSignal | undefined): Promise<readonly string[]> {
  const dns = new DnsResolver({ timeout: LIMITS.dnsTryMs, tries: LIMITS.dnsTries });
  const cancel = (): void => dns.cancel();
  signal?.addEventListener("abort", cancel, { once: true });
  try {
    const [four, six] = await Promise.allSettled([dns.resolve4(name), dns.resolve6(name)]);
    const addresses = [four, six].flatMap((each) => (each.status === "fulfilled" ? each.value : []));
    if (addresses.length === 0) throw four.status === "rejected" ? four.reason : new Error("no address");
    return addresses;
  } finally {
    signal?.removeEventListener("abort", cancel);
  }
}

async function searched(host: string, resolvConf: string): Promise<readonly string[]> {
  const text = await readFile(resolvConf, "utf8").catch(() => "");
  const domains = /^(?:search|domain)[ \t]+(.*)$/m.exec(text)?.[1]?.split(/\s+/).filter(Boolean) ?? [];
  return [...domains.slice(0, SEARCHED_MAX).map((domain) => `${host}.${domain}`), host];
}

const SEARCHED_MAX = 6;

/** Read again only where it has changed: it may be one of those that list every advertiser. */
function makeHosts(path: string): () => Promise<ReadonlyMap<string, readonly string[]>> {
  let stamp = "";
  let names: ReadonlyMap<string, readonly string[]> = new Map();
  return async () => {
    try {
      const { mtimeMs, size, ino } = await stat(path);
      const now = `${mtimeMs} ${size} ${ino}`;
      if (now !== stamp) [names, stamp] = [parseHosts(await readFile(path, "utf8")), now];
    } catch {
      [names, stamp] = [new Map(), ""];
    }
    return names;
  };
}

function parseHosts(text: string): ReadonlyMap<string, readonly string[]> {
  const names = new Map<string, string[]>();
  for (const line of text.split("\n")) {
    const [address, ...words] = line.replace(/#.*/, "").trim().toLowerCase().split(/\s+/);
    for (const word of words) {
      const name = word.replace(/\.$/, "");
      const found = names.get(name);
      if (found === undefined) names.set(name, [address ?? ""]);
      else found.push(address ?? "");
    }
  }
  return names;
}
