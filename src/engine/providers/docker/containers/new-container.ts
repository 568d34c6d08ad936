/**
 * The container that a plugin asks for, and the options that the engine gets for it: pure, and built field by field. Without
 * privilege, without new privileges, with few capabilities, bounded in memory, processors, processes and log; whatever is beyond
 * that was looked at by rules.ts before. Called by containers.ts.
 */
import type { ContainerCreateOptions, MountSettings } from "dockerode";
import { LIMITS } from "../../../../base/limits.ts";
import { parseMemory } from "../../../deploys/deploy-input.ts";
import type { RestartPolicy } from "../../provider.ts";
import { bringsInit, BOUNDED_LOG, LABELS, RESTART } from "../container-spec.ts";

export interface NewContainer {
  /** Who makes it. */
  readonly plugin: string;
  readonly name?: string | undefined;
  readonly image: string;
  readonly command?: readonly string[] | undefined;
  readonly env: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  /** `512m`. */
  readonly memory?: string | undefined;
  readonly cpus?: number | undefined;
  readonly restart: RestartPolicy;
  readonly volumes: readonly NewMount[];
  readonly ports: readonly NewPort[];
  readonly network: "none" | "default" | "host";
  readonly privileged: boolean;
  readonly pid?: "host" | undefined;
  readonly ipc?: "host" | undefined;
  readonly binds: readonly NewMount[];
  readonly devices: readonly string[];
  readonly capabilities: readonly string[];
}

export interface NewMount {
  /** A volume's name, or a path of the host. */
  readonly source: string;
  readonly target: string;
  readonly readOnly: boolean;
}

export interface NewPort {
  readonly container: number;
  /** On the host; absent: the engine takes a free one. */
  readonly host?: number | undefined;
  readonly address: string;
  readonly protocol: "tcp" | "udp";
}

export interface ReadyImage {
  readonly id: string;
  readonly entrypoint: readonly string[];
}

/** Exactly what is made: the image by its id, volumes and paths by the names that were looked at. */
export interface ReadyParts {
  readonly owner: string;
  readonly name: string;
  readonly image: ReadyImage;
  readonly volumes: readonly NewMount[];
  readonly binds: readonly NewMount[];
}

/** What processes need that begin as root and then become someone else. Docker's own set has raw sockets and devices too. */
export const KEPT_CAPABILITIES = [
  "CHOWN",
  "DAC_OVERRIDE",
  "FOWNER",
  "KILL",
  "NET_BIND_SERVICE",
  "SETGID",
  "SETUID",
] as const;

export function newContainerOptions(
  wanted: NewContainer,
  ready: ReadyParts,
): ContainerCreateOptions & { name: string } {
  const memory = memoryOf(wanted);
  return {
    name: ready.name,
    Image: ready.image.id,
    Labels: {
      ...wanted.labels,
      [LABELS.owner]: ready.owner,
      [LABELS.plugin]: wanted.plugin,
      [LABELS.image]: wanted.image,
    },
    Env: Object.entries(wanted.env).map(([key, value]) => `${key}=${value}`),
    ...(wanted.command === undefined ? {} : { Cmd: [...wanted.command] }),
    ExposedPorts: Object.fromEntries(wanted.ports.map((port) => [portKey(port), {}])),
    HostConfig: {
      NetworkMode: NETWORKS[wanted.network],
      ...(wanted.pid === undefined ? {} : { PidMode: wanted.pid }),
      IpcMode: wanted.ipc ?? "private",
      ...OWN_CGROUP,
      PortBindings: bindings(wanted.ports),
      Memory: memory,
      MemorySwap: memory,
      NanoCpus: Math.round((wanted.cpus ?? LIMITS.dockerCpus) * 1e9),
      PidsLimit: LIMITS.dockerProcesses,
      Mounts: [
        ...ready.volumes.map((mount) => mountOf("volume", mount)),
        ...ready.binds.map((mount) => mountOf("bind", mount)),
      ],
      Devices: wanted.devices.map((path) => ({
        PathOnHost: path,
        PathInContainer: path,
        CgroupPermissions: "rw",
      })),
      RestartPolicy: { Name: RESTART[wanted.restart] },
      Init: !bringsInit(ready.image.entrypoint),
      Privileged: wanted.privileged,
      CapDrop: ["ALL"],
      CapAdd: [...KEPT_CAPABILITIES, ...wanted.capabilities],
      SecurityOpt: ["no-new-privileges"],
      LogConfig: BOUNDED_LOG,
    },
  };
}

/** Throws `service.invalid` for less than an engine takes. */
export function memoryOf({ memory }: Pick<NewContainer, "memory">): number {
  return memory === undefined ? LIMITS.dockerMemoryBytes : parseMemory(memory);
}

// --- internal ---

/** The client's types do not know it. */
const OWN_CGROUP: object = { CgroupnsMode: "private" };

const NETWORKS: Readonly<Record<NewContainer["network"], string>> = {
  none: "none",
  default: "bridge",
  host: "host",
};

function portKey({ container, protocol }: NewPort): string {
  return `${container}/${protocol}`;
}

function bindings(ports: readonly NewPort[]): Record<string, { HostIp: string; HostPort: string }[]> {
  const rows: Record<string, { HostIp: string; HostPort: string }[]> = {};
  for (const port of ports)
    (rows[portKey(port)] ??= []).push({
      HostIp: port.address,
      HostPort: port.host === undefined ? "" : String(port.host),
    });
  return rows;
}

function mountOf(type: "volume" | "bind", { source, target, readOnly }: NewMount): MountSettings {
  const common = { Type: type, Source: source, Target: target, ReadOnly: readOnly };
  return type === "bind" ? { ...common, BindOptions: { Propagation: "rprivate" } } : common;
}
