/**
 * The Docker family, `ctx.docker`: an allow-list of operations on containers, never the engine's own interface. It decides which
 * containers a plugin may see (`docker_read`) and change (`docker_write`); the power behind it is engine/providers/docker, passed
 * in, which checks once more whose a container is before it touches it. Called by catalogue.ts.
 */
import * as v from "valibot";
import { fail, type VoxError } from "../../base/errors.ts";
import { LIMITS } from "../../base/limits.ts";
import {
  breadth,
  findContainer,
  mayChange,
  maySee,
  notFound,
  type ContainerFacts,
  type Labelled,
} from "./docker-reach.ts";
import { containerSpec } from "./docker-spec.ts";
import { denied, outOfScope } from "./denial.ts";
import { method, streamMethod, type Caller, type Method } from "./method.ts";

export type ContainerSpec = v.InferOutput<typeof containerSpec>;

/** What the family needs of the engine. Answers are plain data that a plugin may see; every id is a full one. */
export interface ContainerPower {
  list(which: "own" | "all", signal: AbortSignal): Promise<readonly ContainerFacts[]>;
  inspect(id: string, signal: AbortSignal): Promise<ContainerFacts>;
  stats(id: string, signal: AbortSignal): Promise<unknown>;
  /** From now on, as slowly as they are taken, until the signal. */
  events(which: "own" | "all", signal: AbortSignal): AsyncIterable<Labelled>;
  create(
    spec: ContainerSpec & { readonly plugin: string },
    signal: AbortSignal,
  ): Promise<{ readonly id: string; readonly name: string }>;
  start(id: string, plugin: string, signal: AbortSignal): Promise<void>;
  stop(id: string, plugin: string, signal: AbortSignal): Promise<void>;
  restart(id: string, plugin: string, signal: AbortSignal): Promise<void>;
  remove(id: string, plugin: string, signal: AbortSignal): Promise<void>;
  /** Removes all containers and volumes that this plugin made. */
  clear(plugin: string): Promise<void>;
}

/**
 * `docker.list` → containers · `docker.inspect {id}` · `docker.stats {id}` · `docker.events` → a stream of events ·
 * `docker.create` with the spec itself → `{id, name}` ·
 * `docker.start|stop|restart|remove {id}`, as Containers in the SDK has them.
 */
export function dockerMethods(power: ContainerPower): readonly Method[] {
  return [
    method({
      name: "docker.list",
      args: [],
      anyOf: ["docker_read"],
      params: v.strictObject({}),
      run: async (caller, _params, signal) =>
        (await visible(power, caller, signal)).slice(0, LIMITS.dockerListed),
    }),
    method({
      name: "docker.inspect",
      args: ["id"],
      anyOf: ["docker_read"],
      params: byId,
      target: ({ id }) => id,
      run: async (caller, { id }, signal) => inspect(power, caller, id, signal),
    }),
    method({
      name: "docker.stats",
      args: ["id"],
      anyOf: ["docker_read"],
      params: byId,
      target: ({ id }) => id,
      async run(caller, { id }, signal) {
        const { id: fullId } = await inspect(power, caller, id, signal);
        return power.stats(fullId, signal);
      },
    }),
    streamMethod({
      name: "docker.events",
      args: [],
      anyOf: ["docker_read"],
      params: v.strictObject({}),
      open: (caller, _params, signal) => visibleEvents(power, caller, signal),
    }),
    method({
      name: "docker.create",
      args: "object",
      anyOf: ["docker_write"],
      params: containerSpec,
      target: ({ name, image }) => `${name ?? "(unnamed)"} from ${image}`,
      check: checkMayCreate,
      run: async (caller, spec, signal) => power.create({ ...spec, plugin: caller.plugin }, signal),
    }),
    ...(["start", "stop", "restart", "remove"] as const).map((word) =>
      method({
        name: `docker.${word}`,
        args: ["id"],
        anyOf: ["docker_write"],
        params: byId,
        target: ({ id }) => id,
        async run(caller, { id }, signal) {
          const {
            id: fullId,
            name,
            origin,
            service,
          } = await changeable(power, caller, `docker.${word}`, id, signal);
          if (word === "remove" && origin === "service")
            throw refused(
              caller,
              `${name} is an instance of the service ${service}: it may stop and start it, but only the operator removes a service`,
            );
          await power[word](fullId, caller.plugin, signal);
        },
      }),
    ),
  ];
}

// --- internal ---

/** What a plugin may see is looked at for each event: it may be less by now. */
async function* visibleEvents(
  power: ContainerPower,
  caller: Caller,
  signal: AbortSignal,
): AsyncGenerator<Labelled> {
  for await (const event of power.events(breadth(caller), signal)) {
    if (maySee(caller, event)) yield event;
  }
}

function checkMayCreate(caller: Caller): void {
  const scope = caller.grants.get("docker_write");
  if (scope === null || scope === undefined) return;
  const what = "it may change instances of some services only, and so makes no containers";
  throw outOfScope(caller, "docker_write", what, undefined);
}

const byId = v.strictObject({ id: v.pipe(v.string(), v.minLength(1), v.maxLength(LIMITS.dockerTextChars)) });

async function visible(
  power: ContainerPower,
  caller: Caller,
  signal: AbortSignal,
): Promise<readonly ContainerFacts[]> {
  const containers = await power.list(breadth(caller), signal);
  return containers.filter((container) => maySee(caller, container));
}

async function inspect(
  power: ContainerPower,
  caller: Caller,
  text: string,
  signal: AbortSignal,
): Promise<ContainerFacts> {
  const { id } = findContainer(await visible(power, caller, signal), text);
  const container = await power.inspect(id, signal);
  if (!maySee(caller, container)) throw notFound(text);
  return container;
}

/** What it may see but not change is refused as such; what it may not see is not there. */
async function changeable(
  power: ContainerPower,
  caller: Caller,
  method: string,
  text: string,
  signal: AbortSignal,
): Promise<ContainerFacts> {
  const containers = await power.list(breadth(caller), signal);
  const container = findContainer(
    containers.filter((candidate) => maySee(caller, candidate) || mayChange(caller, candidate)),
    text,
  );
  if (mayChange(caller, container)) return container;
  const { name, origin, service } = container;
  if (!caller.grants.has("docker_write"))
    throw denied(caller, { name: method, anyOf: ["docker_write"] }, undefined);
  throw origin === "service"
    ? outOfScope(
        caller,
        "docker_write",
        `${name} belongs to the service ${service}, which is none of those that it may change`,
        service,
      )
    : refused(caller, `${name} was not made by it, and is no instance of a service`);
}

/** What no grant would allow. */
function refused({ plugin }: Caller, what: string): VoxError {
  return fail("capability.out_of_scope", `plugin ${plugin}: ${what}`, {
    details: { capability: "docker_write", plugin },
  });
}
