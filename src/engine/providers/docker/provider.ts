/**
 * The `docker` provider: an instance is a container of its own name, found again by its labels, and kept up by the
 * engine's restart policy, so nothing here has to run for it. Every failure leaves as a VoxError of errors.ts.
 * Composed by the daemon; called by the engine's deploys.
 */
import type { Clock } from "../../../base/clock.ts";
import { LIMITS } from "../../../base/limits.ts";
import { LOCAL } from "../providers.ts";
import { bounded } from "../../bounded.ts";
import { noSecrets, type InstanceSpec, type Provider, type SecretsOf } from "../provider.ts";
import { buildImage, removeBuilds } from "./build.ts";
import { checkContainerSpec } from "./check.ts";
import type { DockerEndpoint } from "./endpoint.ts";
import type { EngineFacts } from "./engine-facts.ts";
import { LABELS } from "./container-spec.ts";
import { containerStats } from "./container-stats.ts";
import { containerStatus } from "./container-status.ts";
import { createContainer } from "./create.ts";
import { ENGINE, makeEngineDesk, type EngineTask, type EngineWork } from "./engine-desk.ts";
import { engineStatus } from "./errors.ts";
import { execInContainer } from "./exec.ts";
import { readContainerLogs } from "./logs.ts";
import { ensureImage, inspectImage } from "./pull.ts";
import { removeContainer } from "./remove.ts";
import { checkSecrecy, publishedOn, reachedAt, type DockerSite } from "./site.ts";

export interface DockerProviderOptions {
  /** Of this machine's engine; or the server whose engine it is. */
  readonly endpoint: DockerEndpoint | DockerSite;
  /** A container keeps what it was made with. */
  readonly secretsOf?: SecretsOf;
  readonly clock: Clock;
}

export interface DockerProvider extends Provider {
  /** Gives up what the engine has not answered. Containers go on. */
  close(): void;
  /** Asks the engine what it is. Throws `provider.unavailable`, `server.*`. */
  facts(timeoutMs: number): Promise<EngineFacts>;
}

/**
 * @example
 * const docker = makeDockerProvider({ endpoint: config.docker.socket, clock: systemClock });
 */
export function makeDockerProvider(options: DockerProviderOptions): DockerProvider {
  const { endpoint: at, secretsOf = noSecrets, clock } = options;
  const site = "server" in at ? at : undefined;
  const server = site?.server ?? LOCAL;
  const endpoint = "server" in at ? () => at.settings().endpoint : () => at;
  const desk = makeEngineDesk({ endpoint, server: site?.server }, clock);
  const check = (spec: InstanceSpec): void => checkContainerSpec(spec, server);

  /** `timeoutMs` undefined: work that may take as long as it takes, and has a signal of its own. */
  const engine = <T>(
    task: Omit<EngineTask, "timeoutMs">,
    timeoutMs: number | undefined,
    work: EngineWork<T>,
  ): Promise<T> => desk.ask({ ...task, timeoutMs }, work);

  const secretsFor = ({ service }: InstanceSpec) => (service === undefined ? {} : secretsOf(service));

  return {
    name: "docker",
    server,
    ...(site === undefined ? {} : { reach: async (spec: InstanceSpec) => reachedAt(site, spec) }),
    close: () => desk.close(),
    facts: (timeoutMs) => desk.facts(timeoutMs),
    check,
    builds: {
      prune: (owner, service, keep) =>
        engine({ what: `remove images of ${service}` }, LIMITS.engineWorkMs, (docker) =>
          removeBuilds(docker, owner, service, keep),
        ),
    },

    async prepare(spec, context) {
      check(spec);
      const { image, build, directory } = spec;
      if (site !== undefined) {
        checkSecrecy(site, secretsFor(spec), spec);
        // To pull may take as long as it takes: one that does not answer at all is found out before.
        await desk.facts(LIMITS.engineAskMs);
      }
      try {
        if (build !== undefined && directory !== undefined)
          return await engine({ what: `build an image for ${spec.id}` }, undefined, async (docker) => {
            const isThere = image !== undefined && (await inspectImage(docker, image)) !== undefined;
            return isThere ? image : buildImage(docker, { ...build, directory }, spec, context);
          });
        return await engine({ what: `pull ${image}`, image }, undefined, (docker) =>
          ensureImage(docker, image ?? "", spec.registryAuth, context),
        );
      } catch (error) {
        throw context.signal.aborted ? context.signal.reason : error;
      }
    },

    async create(spec, context) {
      check(spec);
      context.signal.throwIfAborted();
      const secrets = secretsFor(spec);
      if (site !== undefined) checkSecrecy(site, secrets, { registryAuth: undefined, buildLogins: [] });
      const place = site === undefined ? undefined : { server, hostIp: await publishedOn(site) };
      await engine({ what: `create ${spec.id}`, image: spec.image }, LIMITS.engineWorkMs, (docker) =>
        createContainer(docker, { spec, secrets, place }, context),
      );
    },

    start: (id) =>
      engine({ what: `start ${id}`, instance: id }, LIMITS.engineWorkMs, (docker, abortSignal) =>
        ignoring([304], docker.getContainer(id).start({ abortSignal })),
      ),

    stop: (id, graceMs) =>
      engine({ what: `stop ${id}`, instance: id }, graceMs + LIMITS.engineWorkMs, (docker, abortSignal) =>
        ignoring([304, 404], docker.getContainer(id).stop({ t: Math.ceil(graceMs / 1000), abortSignal })),
      ),

    destroy: (id) =>
      engine({ what: `remove ${id}`, instance: id }, LIMITS.engineWorkMs, async (docker) => {
        const end = clock.monotonic() + LIMITS.engineWorkMs;
        while (!(await removeContainer(docker, id)) && clock.monotonic() < end) {
          await clock.sleep(REMOVAL_POLL_MS);
        }
      }),

    status: (id) =>
      engine({ what: `ask for ${id}` }, LIMITS.engineAskMs, async (docker, abortSignal) => {
        try {
          return containerStatus(await docker.getContainer(id).inspect({ abortSignal }));
        } catch (error) {
          if (engineStatus(error) === 404) return { state: "missing" };
          throw error;
        }
      }),

    stats: (id) =>
      engine({ what: `measure ${id}` }, LIMITS.statsMs, async (docker, abortSignal) => {
        const container = docker.getContainer(id);
        try {
          const [info, stats] = await Promise.all([
            container.inspect({ abortSignal }),
            container.stats(oneLook(abortSignal)),
          ]);
          return containerStats(info, stats);
        } catch (error) {
          if (engineStatus(error) === 404) return undefined;
          throw error;
        }
      }),

    list: (owner) =>
      engine({ what: "list containers" }, LIMITS.engineAskMs, async (docker, abortSignal) => {
        const filters = { label: [`${LABELS.owner}=${owner}`] };
        const found = await docker.listContainers({ all: true, filters, abortSignal });
        // Two names in the configuration may lead to one engine: each has what was made under it.
        return found
          .filter(({ Labels: labels }) => (labels[LABELS.server] ?? LOCAL) === server)
          .map(({ Labels: labels }) => labels[LABELS.instance] ?? "")
          .filter((id) => id !== "");
      }),

    async *logs(id, options) {
      try {
        // Who reads goes away at once, also where the engine has yet to say what it is.
        const docker = await bounded(desk.client(), { clock, who: ENGINE, signal: options.signal });
        yield* readContainerLogs(docker.getContainer(id), options, clock);
      } catch (error) {
        if (options.signal.aborted) return;
        throw desk.errorOf(error, { what: `read the log of ${id}`, instance: id });
      }
    },

    async exec(id, options) {
      try {
        return await engine({ what: `run a command in ${id}`, instance: id }, undefined, (docker) =>
          execInContainer(docker.getContainer(id), options, clock),
        );
      } catch (error) {
        throw options.signal.aborted ? options.signal.reason : error;
      }
    },
  };
}

// --- internal ---

const REMOVAL_POLL_MS = 100;

/** Without "one-shot" the engine takes a second more to measure a rate of its own. The client's types don't know of the signal. */
function oneLook(abortSignal: AbortSignal): { readonly stream?: false; readonly "one-shot"?: boolean } {
  const options = { stream: false, "one-shot": true, abortSignal } as const;
  return options;
}

async function ignoring(statuses: readonly number[], answer: Promise<unknown>): Promise<void> {
  try {
    await answer;
  } catch (error) {
    if (!statuses.includes(engineStatus(error) ?? 0)) throw error;
  }
}
