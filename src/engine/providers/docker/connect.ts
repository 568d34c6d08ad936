/**
 * The connection to a Docker engine: the client, which is loaded at first use because it is heavy. Nothing is sent from here. The
 * engine of a server is another machine's: its answers are bounded and its redirections are not followed. Called by engine-desk.ts.
 */
import type { Agent, ClientRequest, IncomingMessage } from "node:http";
import type Docker from "dockerode";
import type { Clock } from "../../../base/clock.ts";
import { fail } from "../../../base/errors.ts";
import { SERVER_LIMITS } from "../../../base/server-limits.ts";
import type { DockerEndpoint } from "./endpoint.ts";

export interface DockerConnection {
  /** Gives the client; makes it once, and again where the endpoint has changed. */
  client(): Promise<Docker>;
  /** Gives up every question that the engine has not answered: a hung engine would keep the process for ever. */
  close(): void;
}

export interface ConnectionOptions {
  /** Asked each time. Throws where there is none any more. */
  readonly endpoint: () => DockerEndpoint;
  /** It is a server's, and not the engine of this machine. */
  readonly isServer: boolean;
  readonly clock: Clock;
}

export function makeDockerConnection({ endpoint, isServer, clock }: ConnectionOptions): DockerConnection {
  const asked = new Set<AbortController>();
  let current: Current | undefined;

  async function open(where: DockerEndpoint): Promise<Opened> {
    const agent = isServer ? (await import("./engine-agent.ts")).makeEngineAgent(where, clock) : undefined;
    // It takes an address apart in a way that Node warns of, to the daemon's log.
    process.noDeprecation = true;
    const { default: Client } = await import("dockerode");
    const { files: _, tlsName: __, ...place } = { files: undefined, tlsName: undefined, ...where };
    const docker = new Client({ ...NOT_BY_ENVIRONMENT, ...place, ...(agent === undefined ? {} : { agent }) });
    const modem = docker.modem as unknown as Modem;
    keepQuestions(modem, asked);
    if (isServer) guardAnswers(modem);
    return { docker, agent };
  }

  function close(): void {
    for (const question of asked) question.abort();
    const { opened } = current ?? {};
    current = undefined;
    // Streams too: who reads one opens it anew, where it is to be found now.
    opened?.then(
      ({ agent }) => agent?.destroy(),
      () => {},
    );
  }

  return {
    async client() {
      const where = endpoint();
      const text = JSON.stringify(where);
      if (current?.text !== text) {
        if (current !== undefined) close();
        current = { text, opened: open(where) };
      }
      return (await current.opened).docker;
    },
    close,
  };
}

// --- internal ---

interface Opened {
  readonly docker: Docker;
  readonly agent: Agent | undefined;
}

interface Current {
  readonly text: string;
  readonly opened: Promise<Opened>;
}

/** The client would take these from DOCKER_HOST and its like: the configuration says where the engine is. */
const NOT_BY_ENVIRONMENT = {
  host: undefined,
  port: undefined,
  socketPath: undefined,
  ca: undefined,
  cert: undefined,
  key: undefined,
  pathPrefix: undefined,
  timeout: undefined,
};

/** The part of dockerode's transport that is used here; its types leave it open. */
interface Modem {
  dial(options: DialOptions, answer: Answer): void;
  buildRequest(request: object, options: DialOptions, data: unknown, answer: Answer): void;
}

interface DialOptions {
  readonly path: string;
  readonly abortSignal?: AbortSignal;
  readonly isStream?: boolean;
  readonly hijack?: boolean;
  readonly openStdin?: boolean;
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

/** dockerode keeps an answer whole, however long it is, and asks wherever a redirection says. */
function guardAnswers(modem: Modem): void {
  const build = modem.buildRequest.bind(modem);
  modem.buildRequest = (request, options, data, answer) => {
    const isStream = options.isStream === true || options.hijack === true || options.openStdin === true;
    let isOver = false;
    const end: Answer = (error, found) => {
      if (isOver) return;
      isOver = true;
      answer(error, found);
    };
    const watch = (sent: ClientRequest): void => {
      sent.once("response", (response: IncomingMessage) => {
        if (isStream && (response.statusCode ?? 0) < 400) return;
        let bytes = 0;
        response.on("data", (chunk: Buffer) => {
          bytes += chunk.length;
          if (bytes <= SERVER_LIMITS.answerBytes) return;
          end(tooLong(), undefined);
          sent.destroy();
        });
      });
    };
    build({ ...request, maxRedirects: 0, watch }, options, data, end);
  };
}

function tooLong(): Error {
  return fail(
    "provider.failed",
    `the docker engine's answer is longer than ${SERVER_LIMITS.answerBytes} bytes`,
  );
}
