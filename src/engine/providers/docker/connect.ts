/**
 * The connection to a Docker engine: where it is, and the client, which is loaded at first use because it is heavy.
 * Nothing is sent from here. Called by provider.ts; the daemon's configuration is read with `parseDockerEndpoint`.
 */
import type Docker from "dockerode";

export type DockerEndpoint =
  | { readonly socketPath: string }
  | { readonly protocol: "http"; readonly host: string; readonly port: number };

export const DEFAULT_DOCKER_SOCKET = "/var/run/docker.sock";

/** Gives the client; loads it once. */
export function makeDockerConnection(endpoint: DockerEndpoint): () => Promise<Docker> {
  let client: Promise<Docker> | undefined;
  return () => {
    client ??= import("dockerode").then(({ default: Client }) => new Client({ ...endpoint }));
    return client;
  };
}

/**
 * Reads `[docker] socket`: an absolute path, `unix:///path`, or `tcp://host:port`; undefined for anything else.
 *
 * @example parseDockerEndpoint("unix:///run/user/1000/docker.sock"); // { socketPath: "/run/user/1000/docker.sock" }
 */
export function parseDockerEndpoint(text: string): DockerEndpoint | undefined {
  const path = text.startsWith("unix://") ? text.slice("unix://".length) : text;
  if (path.startsWith("/")) return { socketPath: path };
  const remote = /^(?:tcp|http):\/\/([^/:\s]+|\[[\da-f:]+\]):(\d{1,5})\/?$/i.exec(text);
  const [, host, port] = remote ?? [];
  if (host === undefined || Number(port) < 1 || Number(port) > 65_535) return undefined;
  return { protocol: "http", host: host.replaceAll(/[[\]]/g, ""), port: Number(port) };
}

/** The endpoint as a person wrote it. */
export function endpointText(endpoint: DockerEndpoint): string {
  return "socketPath" in endpoint ? endpoint.socketPath : `tcp://${endpoint.host}:${endpoint.port}`;
}
