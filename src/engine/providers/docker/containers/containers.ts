/**
 * What plugins may do with containers, as operations, never as a way to the engine: look at them, and make, start, stop and
 * remove those of this installation. Whose a container is, is read from the engine by its full id right before anything is done
 * with that id. Which of them a plugin may name is decided by whoever calls: host/capabilities/docker.ts, wired by the daemon.
 */
import type Docker from "dockerode";
import type { Clock } from "../../../../base/clock.ts";
import { fail } from "../../../../base/errors.ts";
import { LIMITS } from "../../../../base/limits.ts";
import type { Container, ContainerDetails, ContainerEvent, ContainerUsage } from "../../../../sdk/index.ts";
import { bounded } from "../../../bounded.ts";
import type { DockerEndpoint } from "../endpoint.ts";
import { LABELS } from "../container-spec.ts";
import { ENGINE, makeEngineDesk, type EngineTask, type EngineWork } from "../engine-desk.ts";
import { engineStatus } from "../errors.ts";
import { containerError } from "./container-error.ts";
import { eventFilters, eventOf, readEvents } from "./events.ts";
import { detailsOf, factsOf } from "./facts.ts";
import { madeContainers, madeVolumes } from "./made.ts";
import { checkMade, makeContainer, type MadeContainer } from "./make.ts";
import type { NewContainer } from "./new-container.ts";
import type { ContainerRules } from "./rules.ts";
import { usageOf } from "./stats.ts";

/** `own`: of this installation. Every id is a full one, from `list`. All throw `provider.unavailable`, `container.not_found`. */
export interface Containers {
  list(which: "own" | "all", signal: AbortSignal): Promise<readonly Container[]>;
  inspect(id: string, signal: AbortSignal): Promise<ContainerDetails>;
  /** Throws `container.not_running`. */
  stats(id: string, signal: AbortSignal): Promise<ContainerUsage>;
  /** From now on, as slowly as they are taken, until the signal. */
  events(which: "own" | "all", signal: AbortSignal): AsyncIterable<ContainerEvent>;
  create(wanted: NewContainer, signal: AbortSignal): Promise<MadeContainer>;
  /** An instance is started, stopped and restarted as its service, so that the daemon does not bring it back. */
  start(id: string, plugin: string, signal: AbortSignal): Promise<void>;
  stop(id: string, plugin: string, signal: AbortSignal): Promise<void>;
  restart(id: string, plugin: string, signal: AbortSignal): Promise<void>;
  /** Only what this plugin made. */
  remove(id: string, plugin: string, signal: AbortSignal): Promise<void>;
  /** Removes all containers and volumes that this plugin made. */
  clear(plugin: string): Promise<void>;
  /** Gives up what the engine has not answered. */
  close(): void;
}

/** Services, for the containers that are their instances. */
export interface ServiceControl {
  /** The instance of the version that is live. */
  liveInstance(service: string): string | undefined;
  start(service: string, signal: AbortSignal): Promise<unknown>;
  stop(service: string): Promise<unknown>;
}

export interface ContainersOptions {
  readonly endpoint: DockerEndpoint;
  readonly clock: Clock;
  /** The installation's id. */
  readonly owner: string;
  /** Asked at each call, so that a reload of the configuration counts. */
  readonly rules: () => ContainerRules;
  /** The daemon's own places, which no container of a plugin may have. */
  readonly own: readonly string[];
  readonly services: ServiceControl;
}

export function makeContainers(options: ContainersOptions): Containers {
  const { endpoint, clock, owner, services } = options;
  const desk = makeEngineDesk({ endpoint: () => endpoint }, clock);
  const places = {
    engineSocket: "socketPath" in endpoint ? endpoint.socketPath : undefined,
    own: options.own,
  };
  const making = new Map<string, Promise<unknown>>();

  async function ask<T>(task: EngineTask, work: EngineWork<T>): Promise<T> {
    try {
      return await desk.ask({ timeoutMs: LIMITS.engineAskMs, ...task }, work);
    } catch (error) {
      throw containerError(error);
    }
  }

  /** Of a container that is ours, as it is right now. */
  function found(id: string, what: string, signal: AbortSignal): Promise<Docker.ContainerInspectInfo> {
    const task = { what: `${what} ${id.slice(0, 12)}`, instance: id.slice(0, 12), signal };
    return ask(task, (docker, abortSignal) => docker.getContainer(id).inspect({ abortSignal }));
  }

  async function change(id: string, plugin: string, signal: AbortSignal, task: Change): Promise<void> {
    const info = await found(id, task.what, signal);
    const { origin, service, plugin: maker, name } = detailsOf(info, owner);
    if (origin === "service" && service !== undefined && task.service !== undefined) {
      if (services.liveInstance(service) !== name)
        throw fail(
          "service.busy",
          `${name} is not the version of ${service} that is live: the daemon is at work on it`,
        );
      await bounded(task.service(service), { clock, who: service, signal });
    } else if (origin === "plugin" && maker === plugin) {
      const timeoutMs = task.timeoutMs ?? LIMITS.engineAskMs;
      const instance = info.Id.slice(0, 12);
      await task.before?.(info);
      await ask({ what: `${task.what} ${instance}`, instance, timeoutMs, signal }, (docker) =>
        task.container(docker.getContainer(info.Id)),
      );
    } else throw fail("container.not_found", `there is no container ${id.slice(0, 12)} of this plugin`);
  }

  /** One after the other for each plugin, or it could make more of them than it may have. */
  function inTurn<T>(plugin: string, work: () => Promise<T>): Promise<T> {
    const turn = (making.get(plugin) ?? Promise.resolve()).then(work, work);
    making.set(plugin, turn);
    const over = (): void => {
      if (making.get(plugin) === turn) making.delete(plugin);
    };
    turn.then(over, over);
    return turn;
  }

  const check = (info: Docker.ContainerInspectInfo): Promise<void> =>
    checkMade(info, { rules: options.rules(), places });
  const never = new AbortController().signal;

  return {
    close: () => desk.close(),

    list: (which, signal) =>
      ask({ what: "list containers", signal }, async (docker, abortSignal) => {
        const filters = which === "own" ? { label: [`${LABELS.owner}=${owner}`] } : {};
        const rows = await docker.listContainers({ all: true, filters, abortSignal });
        return rows.map((row) => factsOf(row, owner));
      }),

    inspect: async (id, signal) => detailsOf(await found(id, "look at", signal), owner),

    async stats(id, signal) {
      const { State: state } = await found(id, "look at", signal);
      if (!state.Running)
        throw fail("container.not_running", `the container ${id.slice(0, 12)} is not running`);
      const task = { what: `measure ${id.slice(0, 12)}`, instance: id.slice(0, 12), signal };
      return ask(task, async (docker, abortSignal) => {
        const options = { stream: false, "one-shot": true, abortSignal } as const;
        const read = (): Promise<Docker.ContainerStats> => docker.getContainer(id).stats(options);
        const before = await read();
        await clock.sleep(LIMITS.dockerMeasureMs, signal);
        return usageOf(before, await read());
      });
    },

    async *events(which, signal) {
      if (signal.aborted) return;
      const task = { what: "follow events" };
      let stop = (): void => {};
      try {
        const docker = await desk.client();
        const answer = docker.getEvents({ filters: eventFilters(which, owner), abortSignal: signal });
        const stream = (await bounded(answer, {
          clock,
          timeoutMs: LIMITS.engineAskMs,
          who: ENGINE,
          signal,
        })) as EventStream;
        stop = () => stream.destroy();
        // Without a listener, the "aborted" of a connection that we end ourselves would be an uncaught exception.
        stream.on("error", () => {});
        signal.addEventListener("abort", stop, { once: true });
        for await (const raw of readEvents(stream)) {
          const event = eventOf(raw, owner);
          if (event !== undefined) yield event;
        }
        if (!signal.aborted) throw fail("provider.unavailable", "the docker engine ended the events");
      } catch (error) {
        if (!signal.aborted) throw desk.errorOf(error, task);
      } finally {
        signal.removeEventListener("abort", stop);
        stop();
      }
    },

    create: (wanted, signal) =>
      inTurn(wanted.plugin, () => {
        const task = { what: "create a container", image: wanted.image, signal };
        return makeContainer(wanted, {
          owner,
          rules: options.rules(),
          places,
          signal,
          ask: (work, timeoutMs = LIMITS.engineAskMs) => ask({ ...task, timeoutMs }, work),
        });
      }).catch((error: unknown) => {
        throw containerError(error);
      }),

    start: (id, plugin, signal) =>
      change(id, plugin, signal, {
        what: "start",
        before: check,
        container: (container) => ignoring([304], container.start()),
        service: (name) => services.start(name, never),
      }),

    stop: (id, plugin, signal) =>
      change(id, plugin, signal, {
        what: "stop",
        timeoutMs: LIMITS.stopGraceMs + LIMITS.engineAskMs,
        container: (container) => ignoring([304], container.stop({ t: GRACE_SECONDS })),
        service: (name) => services.stop(name),
      }),

    restart: (id, plugin, signal) =>
      change(id, plugin, signal, {
        what: "restart",
        timeoutMs: LIMITS.stopGraceMs + LIMITS.engineAskMs,
        before: check,
        container: (container) => container.restart({ t: GRACE_SECONDS }),
        // Whoever asked may leave in between: a service that was stopped for this comes back all the same.
        service: async (name) => {
          await services.stop(name);
          await services.start(name, never);
        },
      }),

    async clear(plugin) {
      const what = `remove what ${plugin} made`;
      for (const id of await ask({ what }, (docker) => madeContainers(docker, { owner, plugin })))
        await ask({ what }, (docker) =>
          ignoring([404, 409], docker.getContainer(id).remove({ force: true, v: true })),
        );
      for (const name of await ask({ what }, (docker) => madeVolumes(docker, { owner, plugin })))
        await ask({ what }, (docker) => ignoring([404, 409], docker.getVolume(name).remove()));
    },

    remove: (id, plugin, signal) =>
      change(id, plugin, signal, {
        what: "remove",
        container: (container) => ignoring([404, 409], container.remove({ force: true, v: true })),
      }),
  };
}

// --- internal ---

interface Change {
  readonly what: string;
  readonly timeoutMs?: number;
  readonly before?: (info: Docker.ContainerInspectInfo) => Promise<void>;
  readonly container: (container: Docker.Container) => Promise<unknown>;
  /** Absent: instances are no business of a plugin's. */
  readonly service?: (name: string) => Promise<unknown>;
}

type EventStream = NodeJS.ReadableStream & AsyncIterable<Uint8Array> & { destroy(): void };

const GRACE_SECONDS = Math.ceil(LIMITS.stopGraceMs / 1000);

async function ignoring(statuses: readonly number[], answer: Promise<unknown>): Promise<void> {
  try {
    await answer;
  } catch (error) {
    if (!statuses.includes(engineStatus(error) ?? 0)) throw error;
  }
}
