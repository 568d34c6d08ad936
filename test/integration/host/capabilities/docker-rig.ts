/**
 * A broker with the Docker family before the real engine, for an installation of its own; and containers of other people, made
 * with the docker command. All of it is gone at the end. Used by the tests of ctx.docker.
 */
import { systemClock } from "../../../../src/base/clock.ts";
import { silentLog } from "../../../../src/base/log.ts";
import {
  makeContainers,
  type ServiceControl,
} from "../../../../src/engine/providers/docker/containers/containers.ts";
import type { ContainerRules } from "../../../../src/engine/providers/docker/containers/rules.ts";
import { makeBroker } from "../../../../src/host/capabilities/broker.ts";
import { dockerMethods } from "../../../../src/host/capabilities/docker.ts";
import { DEFAULT_QUOTA } from "../../../../src/host/capabilities/quota.ts";
import { streamMethods } from "../../../../src/host/capabilities/stream.ts";
import type { Capability, Container, ContainerDetails } from "../../../../src/sdk/index.ts";
import type { AuditRow } from "../../../../src/state/audit.ts";
import { TEST_IMAGE } from "../../../fixtures/docker-image.ts";

export type Scopes = Partial<Record<Capability, readonly string[] | null>>;

export const CLOSED: ContainerRules = {
  allow_pull: [],
  allow_network: false,
  allow_public_ports: false,
  allow_binds: [],
  allow_devices: [],
  allow_capabilities: [],
  allow_host_network: false,
  allow_host_pid: false,
  allow_host_ipc: false,
  allow_privileged: false,
  allow_docker_socket: false,
};

export const WHOLE: Scopes = { docker_read: null, docker_write: null };

/** A shell is what the test image has; what it runs is the test's own word. */
export const IDLE = ["sleep", "1000"];

export function dockerRig(options: { readonly socket?: string; readonly own?: readonly string[] } = {}) {
  const owner = `test-${crypto.randomUUID()}`;
  const mark = `test.mark=${owner}`;
  const audit: AuditRow[] = [];
  const grants = new Map<string, Scopes>();
  const services = new Map<string, string>();
  const asked: string[] = [];
  let rules = CLOSED;
  const control: ServiceControl = {
    liveInstance: (service) => services.get(service),
    start: async (service) => void asked.push(`start ${service}`),
    stop: async (service) => void asked.push(`stop ${service}`),
  };
  const power = makeContainers({
    endpoint: { socketPath: options.socket ?? "/var/run/docker.sock" },
    clock: systemClock,
    owner,
    rules: () => rules,
    own: options.own ?? [],
    services: control,
  });
  const broker = makeBroker({
    methods: [...dockerMethods(power), ...streamMethods()],
    callerOf: (plugin) => ({
      plugin,
      grants: new Map(Object.entries(grants.get(plugin) ?? {}) as [Capability, readonly string[] | null][]),
      requested: new Set(["docker_read", "docker_write"]),
      optional: new Set(),
      withheld: new Set(),
    }),
    audit: { append: (row) => audit.push(row) },
    pluginLogs: { append: () => 0 },
    quota: () => ({ ...DEFAULT_QUOTA, calls_per_second: 10_000 }),
    clock: systemClock,
    log: silentLog,
  });

  return {
    owner,
    audit,
    power,
    /** What was asked of services. */
    asked,
    rules: (changes: Partial<ContainerRules>): void => {
      rules = { ...CLOSED, ...changes };
    },
    rightsChanged: (plugin: string, scopes: Scopes) => {
      grants.set(plugin, scopes);
      broker.rightsChanged(plugin);
    },
    /** What `ctx.docker` of a plugin says, as JSON on its way. */
    plugin: (name: string, scopes: Scopes = WHOLE) => {
      grants.set(name, scopes);
      const door = broker.doorFor(name);
      const call = async <T>(method: string, params: unknown = {}): Promise<T> =>
        JSON.parse(JSON.stringify((await door.invoke(method, params)) ?? null)) as T;
      return {
        call,
        list: () => call<Container[]>("docker.list"),
        inspect: (id: string) => call<ContainerDetails>("docker.inspect", { id }),
        create: (spec: object) => call<{ id: string; name: string }>("docker.create", spec),
        start: (id: string) => call<null>("docker.start", { id }),
        stop: (id: string) => call<null>("docker.stop", { id }),
        restart: (id: string) => call<null>("docker.restart", { id }),
        remove: (id: string) => call<null>("docker.remove", { id }),
      };
    },
    /** A container of somebody else's, running. */
    foreign: (args: readonly string[] = [], command: readonly string[] = IDLE) => {
      const name = `test-foreign-${crypto.randomUUID().slice(0, 8)}`;
      const id = docker("run", "-d", "--name", name, "--label", mark, ...args, TEST_IMAGE, ...command);
      return { id, name };
    },
    /** An instance of a service, as the provider makes it. */
    instance: (service: string, args: readonly string[] = [], command: readonly string[] = IDLE) => {
      const name = `vx-${service}-1-${crypto.randomUUID().slice(0, 8)}`;
      const labels = { owner, service, version: "1", instance: name };
      const id = docker(
        "run",
        "-d",
        "--name",
        name,
        "--label",
        mark,
        ...Object.entries(labels).flatMap(([key, value]) => ["--label", `voxeltron.${key}=${value}`]),
        ...args,
        TEST_IMAGE,
        ...command,
      );
      services.set(service, name);
      return { id, name };
    },
    /** Everything of this installation and its neighbours that the engine has. */
    ids: () => lines(docker("ps", "-aq", "--no-trunc", "--filter", `label=voxeltron.owner=${owner}`)),
    volumes: () => lines(docker("volume", "ls", "-q", "--filter", `label=voxeltron.owner=${owner}`)),
    async clean() {
      for (const label of [mark, `voxeltron.owner=${owner}`]) {
        for (const id of lines(docker("ps", "-aq", "--filter", `label=${label}`)))
          docker("rm", "-f", "-v", id);
        for (const name of lines(docker("volume", "ls", "-q", "--filter", `label=${label}`)))
          docker("volume", "rm", "-f", name);
      }
      power.close();
    },
  };
}

/** What the docker command says; throws what it complains about. */
export function docker(...args: readonly string[]): string {
  const { exitCode, stdout, stderr } = Bun.spawnSync(["docker", ...args]);
  if (exitCode !== 0) throw new Error(`docker ${args.join(" ")}: ${stderr.toString()}`);
  return stdout.toString().trim();
}

export function inspected(id: string): Record<string, never> & {
  State: { Running: boolean; StartedAt: string };
  HostConfig: Record<string, unknown>;
} {
  const [found] = JSON.parse(docker("inspect", id));
  return found;
}

// --- internal ---

function lines(text: string): string[] {
  return text.split("\n").filter((line) => line !== "");
}
