/**
 * What a plugin may learn of a container: built field by field from what the engine says, never copied and then cut, so that
 * a field that nobody thought of stays with the engine. No environment, no arguments, no foreign labels, no path of the host, no
 * address inside the engine's networks. Whatever the container's maker wrote is one bounded line. Pure. Called by containers.ts.
 */
import type { ContainerInfo, ContainerInspectInfo } from "dockerode";
import { LIMITS } from "../../../../base/limits.ts";
import { printable } from "../../../../base/text.ts";
import type { Container, ContainerDetails, ContainerMount, ContainerPort } from "../../../../sdk/index.ts";
import { LABELS } from "../container-spec.ts";
import { originOf } from "./origin.ts";

/** From a row of the engine's list. */
export function factsOf(row: ContainerInfo, owner: string): Container {
  const name =
    orNone(row.Names)
      .find((text) => text.lastIndexOf("/") === 0)
      ?.slice(1) ?? "";
  const origin = originOf({ name, labels: row.Labels, owner });
  return {
    id: row.Id,
    name: line(name),
    image: imageName(origin, row.Labels, row.Image),
    ...origin,
    state: stateOf(row.State),
    status: line(row.Status),
    createdAt: new Date(row.Created * 1000).toISOString(),
    ports: orNone(row.Ports)
      .slice(0, LIMITS.dockerPortsShown)
      .map((port) => ({
        container: port.PrivatePort,
        protocol: line(port.Type),
        ...(port.PublicPort === undefined ? {} : { host: port.PublicPort, address: line(port.IP) }),
      })),
  };
}

/** From what the engine says of one. */
export function detailsOf(info: ContainerInspectInfo, owner: string): ContainerDetails {
  const { Config: config, HostConfig: host, State: state } = info;
  const name = info.Name.replace(/^\//, "");
  const ended = state.Status === "exited" || state.Status === "dead";
  const origin = originOf({ name, labels: config.Labels, owner });
  const health = HEALTH.find((word) => word === state.Health?.Status);
  return {
    id: info.Id,
    name: line(name),
    image: imageName(origin, config.Labels, config.Image),
    ...origin,
    state: stateOf(state.Status),
    createdAt: new Date(info.Created).toISOString(),
    ...moment("startedAt", state.StartedAt),
    ...(ended ? moment("endedAt", state.FinishedAt) : {}),
    ...(ended ? { exitCode: state.ExitCode } : {}),
    outOfMemory: state.OOMKilled,
    restarts: info.RestartCount,
    restart: RESTARTS.get(host.RestartPolicy?.Name ?? "") ?? "no",
    ...(health === undefined
      ? {}
      : { health: { status: health, failures: state.Health?.FailingStreak ?? 0 } }),
    program: line(info.Path.split("/").at(-1) ?? ""),
    networks: Object.keys(orEmpty(info.NetworkSettings.Networks))
      .slice(0, LIMITS.dockerShown)
      .map((text) => line(text)),
    mounts: orNone(info.Mounts)
      .slice(0, LIMITS.dockerShown)
      .map((mount) => mountOf(mount)),
    ports: portsOf(info.NetworkSettings.Ports),
    limits: {
      ...positive("memoryBytes", host.Memory),
      ...positive("cpus", host.NanoCpus === undefined ? undefined : host.NanoCpus / 1e9),
      ...positive("processes", host.PidsLimit),
    },
    labels: labelsOf(config.Labels),
  };
}

/** The image as the plugin named it, which made its container from an id. */
export function imageName(
  { origin }: Pick<Container, "origin">,
  labels: Readonly<Record<string, string>> | null,
  image: string,
): string {
  return line((origin === "plugin" ? labels?.[LABELS.image] : undefined) ?? image);
}

// --- internal ---

const STATES: ReadonlySet<string> = new Set([
  "created",
  "running",
  "paused",
  "restarting",
  "removing",
  "exited",
  "dead",
]);

const HEALTH = ["starting", "healthy", "unhealthy"] as const;

const RESTARTS: ReadonlyMap<string, ContainerDetails["restart"]> = new Map([
  ["on-failure", "on-failure"],
  ["always", "always"],
  ["unless-stopped", "always"],
]);

/** What says where an image comes from. Others of this family are free text. */
const SHOWN_LABELS = [
  "title",
  "version",
  "revision",
  "source",
  "url",
  "documentation",
  "created",
  "licenses",
  "vendor",
].map((name) => `org.opencontainers.image.${name}`);

/** Of a container that is being removed the engine leaves out what it has no more, whatever the client's types say. */
function orNone<T>(list: readonly T[] | null | undefined): readonly T[] {
  return list ?? [];
}

function orEmpty<T extends object>(map: T | null | undefined): T | Record<string, never> {
  return map ?? {};
}

function stateOf(text: string): Container["state"] {
  return STATES.has(text) ? (text as Container["state"]) : "unknown";
}

function line(text: string): string {
  return printable(text, LIMITS.dockerTextChars);
}

function moment<K extends string>(key: K, stamp: string): Partial<Record<K, string>> {
  const at = new Date(stamp);
  const isReal = !Number.isNaN(at.valueOf()) && at.getUTCFullYear() > 1;
  return isReal ? ({ [key]: at.toISOString() } as Record<K, string>) : {};
}

function positive<K extends string>(key: K, value: number | null | undefined): Partial<Record<K, number>> {
  return typeof value === "number" && value > 0 ? ({ [key]: value } as Record<K, number>) : {};
}

function mountOf(mount: ContainerInspectInfo["Mounts"][number]): ContainerMount {
  const { Type: type } = mount as { readonly Type?: string };
  const kind = type === "volume" || type === "bind" || type === "tmpfs" ? type : "other";
  return {
    type: kind,
    ...(kind === "volume" && mount.Name !== undefined ? { name: line(mount.Name) } : {}),
    target: line(mount.Destination),
    readOnly: !mount.RW,
  };
}

function portsOf(ports: ContainerInspectInfo["NetworkSettings"]["Ports"]): ContainerPort[] {
  const rows = Object.entries(orEmpty(ports)) as [string, { HostIp: string; HostPort: string }[] | null][];
  return rows
    .flatMap(([key, bindings]): ContainerPort[] => {
      const [port = "", protocol = "tcp"] = key.split("/");
      const inner = { container: Number(port), protocol: line(protocol) };
      if (bindings === null) return [inner];
      return bindings.map(({ HostIp, HostPort }) => ({
        ...inner,
        host: Number(HostPort),
        address: line(HostIp),
      }));
    })
    .slice(0, LIMITS.dockerShown);
}

/** Addresses are shown without the password that people write into them. */
function labelsOf(labels: Readonly<Record<string, string>> | null): Record<string, string> {
  const found = SHOWN_LABELS.flatMap((key) => {
    const value = labels?.[key];
    return typeof value === "string" ? [[key, line(value.replaceAll(/\/\/[^/\s]*@/g, "//"))] as const] : [];
  });
  return Object.fromEntries(found);
}
