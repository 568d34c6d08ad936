/**
 * The connection to a Docker engine: where it is, and the client, which is loaded at first use because it is heavy.
 * Nothing is sent from here. Called by provider.ts; the daemon's configuration is read with `parseDockerEndpoint`.
 */
import type Docker from "dockerode";

export type DockerEndpoint =
  | { readonly socketPath: string }
  | { readonly protocol: "http"; readonly host: string; readonly port: number };

export const DEFAULT_DOCKER_SOCKET = "/var/run/docker.sock";

export interface DockerConnection {
  /** Gives the client; loads it once. */
  client(): Promise<Docker>;
  /** Gives up every question that the engine has not answered: a hung engine would keep the process for ever. */
  close(): void;
}

export function makeDockerConnection(endpoint: DockerEndpoint): DockerConnection {
  const asked = new Set<AbortController>();
  let client: Promise<Docker> | undefined;
  return {
    client() {
      client ??= import("dockerode").then(({ default: Client }) => {
        const docker = new Client({ ...endpoint });
        const modem: Modem = docker.modem;
        keepQuestions(modem, asked);
        return docker;
      });
      return client;
    },
    close() {
      for (const question of asked) question.abort();
    },
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

// --- internal ---

/** The part of dockerode's transport that is used here; its types leave it open. */
interface Modem {
  dial(options: DialOptions, answer: Answer): void;
}

interface DialOptions {
  readonly abortSignal?: AbortSignal | undefined;
}

type Answer = (error: unknown, data: unknown) => void;

/** Some of dockerode's questions take no signal, so each gets one on its way out. A stream counts as answered when it begins. */
function keepQuestions(modem: Modem, asked: Set<AbortController>): void {
  const dial = modem.dial.bind(modem);
  modem.dial = (options, answer) => {
    const question = new AbortController();
    asked.add(question);
    const { abortSignal } = options;
    const signals = abortSignal === undefined ? [] : [abortSignal];
    dial({ ...options, abortSignal: AbortSignal.any([question.signal, ...signals]) }, (error, data) => {
      asked.delete(question);
      answer(error, data);
    });
  };
}
