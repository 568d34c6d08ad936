/**
 * Asks the engine, and never waits for it for ever: each question has its time, ends with the signal of whoever asked, and
 * fails as a VoxError. Nothing is decided here. Made by provider.ts and containers/containers.ts.
 */
import type Docker from "dockerode";
import type { Clock } from "../../../base/clock.ts";
import { LIMITS } from "../../../base/limits.ts";
import { bounded } from "../../bounded.ts";
import { makeDockerConnection } from "./connect.ts";
import { endpointText, type DockerEndpoint } from "./endpoint.ts";
import { readEngineFacts, type EngineFacts } from "./engine-facts.ts";
import { dockerError, engineStatus, type DockerTask } from "./errors.ts";

export interface EngineDesk {
  client(): Promise<Docker>;
  /** The work's answer. Without a time of its own it may take as long as it takes. */
  ask<T>(task: EngineTask, work: EngineWork<T>): Promise<T>;
  /** What anything that the client threw means. */
  errorOf(error: unknown, task: EngineTask): Error;
  /** Asks what it is, now. */
  facts(timeoutMs: number): Promise<EngineFacts>;
  /** Gives up what the engine has not answered. */
  close(): void;
}

export interface EngineTask extends Omit<DockerTask, "endpoint" | "server"> {
  readonly timeoutMs?: number | undefined;
  /** Whoever asked: where it aborts, the wait ends with its reason. */
  readonly signal?: AbortSignal | undefined;
}

export type EngineWork<T> = (docker: Docker, abortSignal: AbortSignal) => Promise<T>;

/** What is said of the engine where it does not answer in time. */
export const ENGINE = "the docker engine";

export interface EnginePlace {
  /** Asked each time. Throws where it is nowhere any more. */
  readonly endpoint: () => DockerEndpoint;
  /** The name of the server; undefined: the engine of this machine. */
  readonly server?: string | undefined;
}

/** The engine of a server is asked what it is before it is asked anything else: it may be something else altogether. */
export function makeEngineDesk({ endpoint, server }: EnginePlace, clock: Clock): EngineDesk {
  const connection = makeDockerConnection({ endpoint, isServer: server !== undefined, clock });
  const who = server === undefined ? ENGINE : `${ENGINE} of ${server}`;
  let known: { readonly docker: Docker; readonly facts: Promise<EngineFacts> } | undefined;

  function errorOf(error: unknown, task: EngineTask): Error {
    const { timeoutMs: _, signal: __, ...about } = task;
    // It did not answer: whatever does next may be another engine.
    if (engineStatus(error) === undefined) known = undefined;
    return dockerError(error, { ...about, endpoint: whereOf(endpoint), server });
  }

  async function read(docker: Docker, timeoutMs: number): Promise<EngineFacts> {
    const over = new AbortController();
    try {
      return await bounded(readEngineFacts(docker, over.signal), { clock, timeoutMs, who });
    } finally {
      over.abort();
    }
  }

  async function client(): Promise<Docker> {
    const docker = await connection.client();
    if (server === undefined) return docker;
    if (known?.docker !== docker) {
      const facts = read(docker, LIMITS.engineAskMs);
      facts.catch(() => {});
      known = { docker, facts };
    }
    await known.facts;
    return docker;
  }

  return {
    client,
    errorOf,
    close: () => connection.close(),
    async facts(timeoutMs) {
      try {
        const docker = await connection.client();
        return await read(docker, timeoutMs);
      } catch (error) {
        throw errorOf(error, { what: "ask what it is" });
      }
    },
    async ask({ timeoutMs, signal, ...task }, work) {
      const over = new AbortController();
      try {
        const answer = client().then((docker) => work(docker, over.signal));
        return await bounded(answer, { clock, timeoutMs, who, signal });
      } catch (error) {
        if (signal?.aborted === true) throw signal.reason;
        throw errorOf(error, task);
      } finally {
        // A question that nobody waits for would hold its connection for as long as the engine is silent.
        over.abort();
      }
    },
  };
}

// --- internal ---

function whereOf(endpoint: () => DockerEndpoint): string {
  try {
    return endpointText(endpoint());
  } catch {
    return "nowhere";
  }
}
