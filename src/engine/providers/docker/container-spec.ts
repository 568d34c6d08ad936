/**
 * The container for an instance: pure. Published on one address alone, never privileged, without new privileges, with a
 * bounded log. The engine's restart policy keeps it up, so that it outlives the daemon. Called by create.ts.
 */
import type { ContainerCreateOptions, MountSettings } from "dockerode";
import { LIMITS } from "../../../base/limits.ts";
import { LOCAL } from "../providers.ts";
import type { InstanceSpec, PortBinding, RestartPolicy, Volume } from "../provider.ts";

export const LABELS = {
  owner: "voxeltron.owner",
  service: "voxeltron.service",
  workspace: "voxeltron.workspace",
  version: "voxeltron.version",
  instance: "voxeltron.instance",
  /** Absent on the daemon's own machine. */
  server: "voxeltron.server",
  /** Of what a plugin made: its name, and the image as it named it. */
  plugin: "voxeltron.plugin",
  image: "voxeltron.image",
} as const;

export interface ContainerPlace {
  readonly server: string;
  /** The address on which its ports are published. */
  readonly hostIp: string;
}

const HERE: ContainerPlace = { server: LOCAL, hostIp: "127.0.0.1" };

/** `entrypoint`: the image's own, which may bring an init of its own. `secrets` become variables like others. */
export function containerOptions(
  spec: InstanceSpec,
  entrypoint: readonly string[] = [],
  secrets: Readonly<Record<string, string>> = {},
  place = HERE,
): ContainerCreateOptions & { name: string } {
  const published = publishedPorts(spec);
  const bindings = Object.fromEntries(published.map(({ inside }) => [`${inside}/tcp`, [] as PortTarget[]]));
  for (const { inside, outside } of published)
    bindings[`${inside}/tcp`]?.push({ HostIp: place.hostIp, HostPort: String(outside) });
  return {
    name: spec.id,
    Image: spec.image ?? "",
    Labels: instanceLabels(spec, place.server),
    Env: Object.entries({ ...spec.env, ...secrets }).map(([key, value]) => `${key}=${value}`),
    ...(spec.command === undefined ? {} : { Cmd: [...spec.command] }),
    ...(published.length === 0
      ? {}
      : { ExposedPorts: Object.fromEntries(Object.keys(bindings).map((port) => [port, {}])) }),
    // A workspace is there to be entered: an image whose command is a shell reads from it, and waits, instead of ending at once.
    ...(spec.workspace === undefined ? {} : { OpenStdin: true }),
    HostConfig: {
      ...(published.length === 0 ? {} : { PortBindings: bindings }),
      ...(spec.memoryBytes === undefined ? {} : { Memory: spec.memoryBytes }),
      ...(spec.cpus === undefined ? {} : { NanoCpus: Math.round(spec.cpus * 1e9) }),
      Mounts: spec.volumes.map((volume) => mount(volume, spec)),
      RestartPolicy: { Name: RESTART[spec.restart] },
      Init: !bringsInit(entrypoint),
      Privileged: false,
      SecurityOpt: ["no-new-privileges"],
      LogConfig: BOUNDED_LOG,
    },
  };
}

export function bringsInit(entrypoint: readonly string[]): boolean {
  return INITS.has(entrypoint[0]?.split("/").at(-1) ?? "");
}

/** Few and large: who follows a log may miss something where a file takes the place of another. */
const LOG_FILES = 2;

/** The engine's driver for logs that `docker logs` reads, bounded. */
export const BOUNDED_LOG = {
  Type: "json-file",
  Config: {
    "max-size": `${Math.floor(LIMITS.instanceLogBytes / LOG_FILES)}`,
    "max-file": `${LOG_FILES}`,
  },
};

/** `always` becomes `unless-stopped`: what was stopped must not come back with the engine. */
export const RESTART: Readonly<Record<RestartPolicy, string>> = {
  always: "unless-stopped",
  "on-failure": "on-failure",
  no: "no",
};

// --- internal ---

interface PortTarget {
  readonly HostIp: string;
  readonly HostPort: string;
}

function publishedPorts({ port, hostPort, ports }: InstanceSpec): readonly Omit<PortBinding, "key">[] {
  const own = port === undefined || hostPort === undefined ? [] : [{ inside: port, outside: hostPort }];
  return [...own, ...ports];
}

function instanceLabels(spec: InstanceSpec, server: string): Record<string, string> {
  return {
    [LABELS.owner]: spec.owner,
    // An image may bring labels of its own, and make a workspace pass for a service's instance.
    ...(spec.service === undefined ? { [LABELS.service]: "" } : {}),
    ...ownerLabel(spec),
    [LABELS.version]: String(spec.version),
    [LABELS.instance]: spec.id,
    ...(server === LOCAL ? {} : { [LABELS.server]: server }),
  };
}

/** A workspace is no service: what plugins may see and do of a service must not reach one that has its name. */
function ownerLabel({ service, workspace = "" }: InstanceSpec): Record<string, string> {
  return service === undefined ? { [LABELS.workspace]: workspace } : { [LABELS.service]: service };
}

/** Some of these refuse to work unless they are process 1, so ours must not take its place. */
const INITS = new Set([
  "init",
  "tini",
  "dumb-init",
  "docker-init",
  "catatonit",
  "my_init",
  "s6-svscan",
  "systemd",
]);

function mount(volume: Volume, spec: InstanceSpec): MountSettings {
  const common = { Source: volume.source, Target: volume.target, ReadOnly: volume.readOnly };
  if (volume.source.startsWith("/")) return { Type: "bind", ...common };
  const labels = { [LABELS.owner]: spec.owner, ...ownerLabel(spec) };
  return {
    Type: "volume",
    ...common,
    VolumeOptions: { NoCopy: false, Labels: labels, DriverConfig: { Name: "", Options: {} } },
  };
}
