/**
 * A machine with a Docker engine beside this one: what the provider has to do otherwise there. Called by provider.ts; made by
 * engine/servers.ts from the configuration.
 */
import { isIP } from "node:net";
import { fail } from "../../../base/errors.ts";
import type { PortRange } from "../../ports.ts";
import type { InstanceSpec, Upstream } from "../provider.ts";
import type { DockerEndpoint } from "./endpoint.ts";

export interface ServerSettings {
  readonly endpoint: DockerEndpoint;
  /** The host or IP address where instances are reached from here. */
  readonly address: string;
  /** The IP address of that machine on which they are published. */
  readonly bind: string | undefined;
  readonly ports: PortRange;
}

export interface DockerSite {
  readonly server: string;
  /** Asked each time, so that a reload counts. Throws `server.unknown` where the configuration has it no more. */
  readonly settings: () => ServerSettings;
  /** Every address that the name has; rejects where it has none. */
  readonly resolve: (host: string) => Promise<readonly string[]>;
}

/** Where a port is published there. Throws `server.unsupported` for a name without an address. */
export async function publishedOn({ server, settings, resolve }: DockerSite): Promise<string> {
  const { bind, address } = settings();
  if (bind !== undefined) return bind;
  if (isIP(address) !== 0) return address;
  const [first] = await resolve(address).catch(() => []);
  if (first !== undefined) return first;
  throw fail(
    "server.unsupported",
    `the address ${address} of ${server} is a name that has no IP address now`,
    {
      hint: `write the IP address on which ports are to be published as bind into [servers.${server}]`,
    },
  );
}

export function reachedAt({ settings }: DockerSite, { hostPort }: InstanceSpec): Upstream {
  if (hostPort === undefined) throw new Error("an instance with a port and without a host's port");
  return { host: settings().address, port: hostPort };
}

/** Throws `provider.unsupported` where what is secret would travel unencrypted. */
export function checkSecrecy(
  site: DockerSite,
  secrets: Readonly<Record<string, string>>,
  { registryAuth, buildLogins }: Pick<InstanceSpec, "registryAuth" | "buildLogins">,
): void {
  const { endpoint } = site.settings();
  if ("socketPath" in endpoint || endpoint.protocol === "https" || isLoopback(endpoint.host)) return;
  const [secret] = Object.keys(secrets);
  const login = registryAuth ?? buildLogins[0];
  if (secret === undefined && login === undefined) return;
  const what = login === undefined ? `the secret ${secret}` : `the password of ${login.host}`;
  throw fail("provider.unsupported", `${what} would travel unencrypted to ${site.server}`, {
    hint: `give [servers.${site.server}] ca, cert and key, and the engine --tlsverify`,
  });
}

/** The daemon's own machine, as far as a name or an address tells. */
export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || (isIP(host) === 4 && host.startsWith("127."));
}
