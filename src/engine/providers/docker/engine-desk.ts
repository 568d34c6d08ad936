/**
 * Asks the engine, and never waits for it for ever: each question has its time, ends with the signal of whoever asked, and
 * fails as a VoxError. Nothing is decided here. Made by provider.ts and containers/containers.ts.
 */
import type Docker from "dockerode";
import type { Clock } from "../../../base/clock.ts";
import { bounded } from "../../bounded.ts";
import { endpointText, makeDockerConnection, type DockerEndpoint } from "./connect.ts";
import { dockerError, type DockerTask } from "./errors.ts";

export interface EngineDesk {
  /** Where the engine is looked for, as a person wrote it. */
  readonly where: string;
  client(): Promise<Docker>;
  /** The work's answer. Without a time of its own it may take as long as it takes. */
  ask<T>(task: EngineTask, work: EngineWork<T>): Promise<T>;
  /** Gives up what the engine has not answered. */
  close(): void;
}

export interface EngineTask extends Omit<DockerTask, "endpoint"> {
  readonly timeoutMs?: number | undefined;
  /** Whoever asked: where it aborts, the wait ends with its reason. */
  readonly signal?: AbortSignal | undefined;
}

export type EngineWork<T> = (docker: Docker, abortSignal: AbortSignal) => Promise<T>;

/** What is said of the engine where it does not answer in time. */
export const ENGINE = "the docker engine";

export function makeEngineDesk(endpoint: DockerEndpoint, clock: Clock): EngineDesk {
  const connection = makeDockerConnection(endpoint);
  const where = endpointText(endpoint);
  return {
    where,
    client: () => connection.client(),
    close: () => connection.close(),
    async ask({ timeoutMs, signal, ...task }, work) {
      const over = new AbortController();
      try {
        const answer = work(await connection.client(), over.signal);
        return await bounded(answer, { clock, timeoutMs, who: ENGINE, signal });
      } catch (error) {
        if (signal?.aborted === true) throw signal.reason;
        throw dockerError(error, { ...task, endpoint: where });
      } finally {
        // A question that nobody waits for would hold its connection for as long as the engine is silent.
        over.abort();
      }
    },
  };
}
