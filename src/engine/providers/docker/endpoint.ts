/**
 * Where a Docker engine is, as the configuration says it. Pure. Read by config-values.ts and config-servers.ts; used by connect.ts and
 * whoever shows it.
 */
import type { CertificateFiles } from "./certificates.ts";

export type DockerEndpoint =
  | { readonly socketPath: string }
  | { readonly protocol: "http"; readonly host: string; readonly port: number }
  | SecureEndpoint;

export interface SecureEndpoint {
  readonly protocol: "https";
  readonly host: string;
  readonly port: number;
  readonly files: CertificateFiles;
  /** Whose certificate is wanted, where that is not the host's. */
  readonly tlsName: string | undefined;
}

export const DEFAULT_DOCKER_SOCKET = "/var/run/docker.sock";

/**
 * Reads `[docker] socket`: an absolute path, `unix:///path`, or `tcp://host:port`; undefined for anything else.
 *
 * @example parseDockerEndpoint("unix:///run/user/1000/docker.sock"); // { socketPath: "/run/user/1000/docker.sock" }
 */
export function parseDockerEndpoint(text: string): Exclude<DockerEndpoint, SecureEndpoint> | undefined {
  const path = text.startsWith("unix://") ? text.slice("unix://".length) : text;
  if (path.startsWith("/")) return { socketPath: path };
  const remote = /^(?:tcp|http):\/\/([^/:\s]+|\[[\da-f:]+\]):(\d{1,5})\/?$/i.exec(text);
  const [, host, port] = remote ?? [];
  if (host === undefined || Number(port) < 1 || Number(port) > 65_535) return undefined;
  return { protocol: "http", host: host.replaceAll(/[[\]]/g, ""), port: Number(port) };
}

/** The endpoint as a person wrote it. */
export function endpointText(endpoint: DockerEndpoint): string {
  if ("socketPath" in endpoint) return endpoint.socketPath;
  const { host, port } = endpoint;
  return host.includes(":") ? `tcp://[${host}]:${port}` : `tcp://${host}:${port}`;
}
