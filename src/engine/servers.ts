/**
 * The machines beside this one that the configuration names, each with the `docker` provider of its engine. Providers stay the same
 * objects over a reload, and ask anew where their engine is; one whose server has left the configuration is not found any more, and
 * what ran there goes on. Composed by the daemon.
 */
import type { Clock } from "../base/clock.ts";
import { messageOf } from "../base/errors.ts";
import { SERVER_LIMITS } from "../base/server-limits.ts";
import { INSTANCE_PORTS, type PortRange } from "./ports.ts";
import { endpointText, type DockerEndpoint } from "./providers/docker/endpoint.ts";
import type { EngineFacts } from "./providers/docker/engine-facts.ts";
import { makeDockerProvider, type DockerProvider } from "./providers/docker/provider.ts";
import type { ServerSettings } from "./providers/docker/site.ts";
import type { Provider, SecretsOf } from "./providers/provider.ts";
import { LOCAL } from "./providers/providers.ts";

export interface Servers {
  /** Of the servers that the configuration has now. */
  providers(): readonly Provider[];
  /** `local`, or the server's host; the name itself of one that the configuration has no more. */
  hostOf(server: string): string;
  portsOf(server: string): PortRange;
  /** Asks all engines at once what they are, this machine's first. Never fails, and waits for none for long. */
  look(): Promise<readonly ServerView[]>;
  /** The configuration was read again: connections to what is no longer in it end. */
  configured(): void;
  close(): void;
}

export interface ServerView {
  /** `local`, or the name in the configuration. */
  readonly name: string;
  readonly endpoint: string;
  /** Where its instances are reached from here. */
  readonly address: string;
  readonly reachable: boolean;
  readonly version: string | null;
  readonly apiVersion: string | null;
  /** Why it is not reachable. */
  readonly error: string | null;
}

export interface ServersOptions {
  /** Asked each time. */
  readonly settings: () => Readonly<Record<string, ServerSettings>>;
  /** Throws `server.unknown`. */
  readonly settingsOf: (server: string) => ServerSettings;
  /** The engine of this machine. */
  readonly local: { readonly endpoint: DockerEndpoint; readonly provider: Pick<DockerProvider, "facts"> };
  readonly secretsOf: SecretsOf;
  /** Every address that a name has; rejects where it has none. */
  readonly resolve: (host: string) => Promise<readonly string[]>;
  readonly clock: Clock;
}

export function makeServers(options: ServersOptions): Servers {
  const { settings, settingsOf, local, secretsOf, resolve, clock } = options;
  const made = new Map<string, DockerProvider>();

  function providerOf(server: string): DockerProvider {
    const known = made.get(server);
    if (known !== undefined) return known;
    const site = { server, settings: () => settingsOf(server), resolve };
    const provider = makeDockerProvider({ endpoint: site, secretsOf, clock });
    made.set(server, provider);
    return provider;
  }

  const find = (server: string): ServerSettings | undefined => {
    const all = settings();
    return Object.hasOwn(all, server) ? all[server] : undefined;
  };

  return {
    providers: () => Object.keys(settings()).toSorted().map(providerOf),
    hostOf(server) {
      const found = find(server);
      if (found === undefined) return server;
      return "socketPath" in found.endpoint ? found.address : found.endpoint.host;
    },
    portsOf: (server) => find(server)?.ports ?? INSTANCE_PORTS,
    async look() {
      const here = view(LOCAL, local.endpoint, "127.0.0.1", local.provider);
      const others = Object.entries(settings())
        .toSorted(([one], [other]) => (one < other ? -1 : 1))
        .map(([name, { endpoint, address }]) => view(name, endpoint, address, providerOf(name)));
      return Promise.all([here, ...others]);
    },
    configured() {
      for (const [name, provider] of made) if (find(name) === undefined) provider.close();
    },
    close() {
      for (const provider of made.values()) provider.close();
    },
  };
}

// --- internal ---

async function view(
  name: string,
  endpoint: DockerEndpoint,
  address: string,
  provider: Pick<DockerProvider, "facts">,
): Promise<ServerView> {
  const about = { name, endpoint: endpointText(endpoint), address };
  try {
    const { version, apiVersion }: EngineFacts = await provider.facts(SERVER_LIMITS.lookMs);
    return { ...about, reachable: true, version, apiVersion, error: null };
  } catch (error) {
    return { ...about, reachable: false, version: null, apiVersion: null, error: messageOf(error) };
  }
}
