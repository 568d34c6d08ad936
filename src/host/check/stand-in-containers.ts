/** Containers that there are none of: one for each service that a plugin may see, and what it makes itself, kept in memory. Called by stand-ins.ts. */
import { randomBytes } from "node:crypto";
import { timestamp, type Clock } from "../../base/clock.ts";
import type { ContainerPower } from "../capabilities/docker.ts";
import { notFound } from "../capabilities/docker-reach.ts";
import type { ContainerDetails } from "../../sdk/index.ts";

export function standInContainers(clock: Clock, services: readonly string[]): ContainerPower {
  const all = new Map<string, Container>();
  const now = (): string => timestamp(clock.now());
  const add = (
    more: Pick<Container, "name" | "image" | "origin" | "state"> & Partial<Container>,
  ): Container => {
    const container = { ...PLAIN, id: randomBytes(32).toString("hex"), createdAt: now(), ...more };
    all.set(container.id, container);
    return container;
  };
  const find = (id: string): Container => {
    const found = all.get(id);
    if (found === undefined) throw notFound(id);
    return found;
  };
  const turn = async (id: string, state: Container["state"]): Promise<void> => {
    all.set(id, { ...find(id), state, startedAt: now() });
  };
  for (const service of services)
    add({
      name: `vx-${service}-7-00c0ffee`,
      image: `registry.example.com/${service}:1.4.2`,
      origin: "service",
      service,
      version: 7,
      state: "running",
      startedAt: now(),
    });

  return {
    list: async () => [...all.values()].map((each) => ({ ...each, status: each.state })).toReversed(),
    inspect: async (id) => find(id),
    stats: async (id) => ({ ...USAGE, at: now(), id: find(id).id }),
    async *events() {
      for (const { id, name, image, origin, service } of all.values())
        yield {
          id,
          name,
          image,
          origin,
          ...(service === undefined ? {} : { service }),
          at: now(),
          action: "start",
        };
    },
    async create({ plugin, image, name = randomBytes(4).toString("hex") }) {
      const made = add({ name: `vxp.${plugin}.${name}`, image, origin: "plugin", plugin, state: "created" });
      return { id: made.id, name: made.name };
    },
    start: (id) => turn(id, "running"),
    stop: (id) => turn(id, "exited"),
    restart: (id) => turn(id, "running"),
    async remove(id) {
      all.delete(find(id).id);
    },
    async clear() {},
  };
}

// --- internal ---

type Container = ContainerDetails;

const PLAIN = {
  ports: [],
  outOfMemory: false,
  restarts: 0,
  restart: "no",
  program: "sh",
  networks: [],
  mounts: [],
  limits: {},
  labels: {},
} as const;

const USAGE = {
  cpuSeconds: 12.5,
  cpuPercent: 3,
  memoryBytes: 48 * 1024 * 1024,
  memoryLimitBytes: 512 * 1024 * 1024,
  networkInBytes: 1_000,
  networkOutBytes: 2_000,
  diskReadBytes: 0,
  diskWriteBytes: 4_096,
  processes: 3,
};
