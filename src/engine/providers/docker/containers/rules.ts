/**
 * What the operator opens to containers that plugins make, one row a key of `[docker] allow_*`: everything here is closed until
 * he says so. Asked before a container is made, and again before it is started, of what the engine says that it is. Pure but
 * for the paths, which bind-source.ts looks at. Called by containers.ts.
 */
import type { ContainerInspectInfo } from "dockerode";
import { fail, type VoxError } from "../../../../base/errors.ts";
import { quote } from "../../../../base/text.ts";
import { KEPT_CAPABILITIES, type NewContainer } from "./new-container.ts";

/** `[docker] allow_*`, by the names in the configuration. */
export interface ContainerRules {
  readonly allow_network: boolean;
  readonly allow_host_network: boolean;
  readonly allow_public_ports: boolean;
  readonly allow_privileged: boolean;
  readonly allow_host_pid: boolean;
  readonly allow_host_ipc: boolean;
  readonly allow_docker_socket: boolean;
  readonly allow_binds: readonly string[];
  readonly allow_devices: readonly string[];
  readonly allow_capabilities: readonly string[];
  /** Registries, by host, from which an image that is missing may be pulled. */
  readonly allow_pull: readonly string[];
}

/** What the rules are about, of a container that is wanted or of one that there is. */
export interface Openings {
  readonly network: "none" | "default" | "host";
  readonly addresses: readonly string[];
  readonly privileged: boolean;
  readonly pid: boolean;
  readonly ipc: boolean;
  readonly devices: readonly string[];
  readonly capabilities: readonly string[];
  /** Paths of the host. */
  readonly binds: readonly string[];
}

export function openingsWanted(wanted: NewContainer): Openings {
  return {
    network: wanted.network,
    addresses: wanted.ports.map(({ address }) => address),
    privileged: wanted.privileged,
    pid: wanted.pid !== undefined,
    ipc: wanted.ipc !== undefined,
    devices: wanted.devices,
    capabilities: wanted.capabilities,
    binds: wanted.binds.map(({ source }) => source),
  };
}

/** Whatever the engine says that is none of what we ask for counts as the most that it could be. */
export function openingsFound({ HostConfig: host, Mounts: mounts }: ContainerInspectInfo): Openings {
  const bindings = Object.values((host.PortBindings ?? {}) as Record<string, { HostIp?: string }[] | null>);
  return {
    network: NETWORKS.get(host.NetworkMode ?? "") ?? "host",
    addresses: bindings.flatMap((rows) =>
      (rows ?? []).map(({ HostIp: ip }) => (ip === undefined || ip === "" ? "0.0.0.0" : ip)),
    ),
    privileged: host.Privileged ?? false,
    pid: (host.PidMode ?? "") !== "",
    ipc: host.IpcMode !== "private",
    devices:
      (host.Devices as { PathOnHost: string }[] | null | undefined)?.map((device) => device.PathOnHost) ?? [],
    capabilities: ((host.CapAdd as string[] | null | undefined) ?? [])
      .map(plainCapability)
      .filter((name) => !KEPT.has(name)),
    binds: mounts.flatMap(({ Type: type, Source: source }) =>
      type === "volume" || type === "tmpfs" ? [] : [source],
    ),
  };
}

/** Throws `capability.out_of_scope` for the first thing that is closed, with the line that would open it. */
export function checkOpenings(openings: Openings, rules: ContainerRules): void {
  for (const row of ROWS) {
    const refused = row.refused(openings, rules);
    if (refused !== undefined) throw closed(refused.what, refused.line ?? row.line);
  }
}

/** A thing that only the operator's configuration can open. */
export function closed(what: string, line: string): VoxError {
  return fail("capability.out_of_scope", `containers that plugins make may not have ${what}`, {
    hint: `if the operator means it: [docker] ${line} in the daemon's configuration`,
  });
}

/** `CAP_NET_ADMIN` and `NET_ADMIN` are one. */
export function plainCapability(name: string): string {
  return name.toUpperCase().replace(/^CAP_/, "");
}

/** An address that only this machine reaches. */
export function isLoopback(address: string): boolean {
  return /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(address) || address === "::1";
}

// --- internal ---

interface Refusal {
  readonly what: string;
  readonly line?: string;
}

interface Row {
  readonly line: string;
  readonly refused: (openings: Openings, rules: ContainerRules) => Refusal | undefined;
}

const ROWS: readonly Row[] = [
  when("allow_privileged", (wanted) => wanted.privileged, "all privileges of the machine"),
  when("allow_host_network", ({ network }) => network === "host", "the machine's own network"),
  when("allow_host_pid", ({ pid }) => pid, "the machine's processes in sight"),
  when("allow_host_ipc", ({ ipc }) => ipc, "the machine's shared memory"),
  {
    line: "allow_network = true",
    refused: ({ network }, rules) =>
      network === "default" && !rules.allow_network ? { what: "a network" } : undefined,
  },
  when(
    "allow_public_ports",
    ({ addresses }) => !addresses.every(isLoopback),
    "ports on addresses other than the loopback ones",
  ),
  listed("allow_devices", ({ devices }) => devices, "the device"),
  listed("allow_capabilities", ({ capabilities }) => capabilities.map(plainCapability), "the capability"),
];

type Switch =
  | "allow_privileged"
  | "allow_host_network"
  | "allow_host_pid"
  | "allow_host_ipc"
  | "allow_public_ports";

function when(key: Switch, wants: (openings: Openings) => boolean, what: string): Row {
  return {
    line: `${key} = true`,
    refused: (openings, rules) => (wants(openings) && !rules[key] ? { what } : undefined),
  };
}

function listed(
  key: "allow_devices" | "allow_capabilities",
  wanted: (openings: Openings) => readonly string[],
  what: string,
): Row {
  return {
    line: `${key} = […]`,
    refused(openings, rules) {
      const name = wanted(openings).find((text) => !rules[key].includes(text));
      if (name === undefined) return undefined;
      const isPlain = /^[\w./:-]+$/.test(name) && !name.includes("..");
      return { what: `${what} ${quote(name)}`, ...(isPlain ? { line: `${key} = ["${name}"]` } : {}) };
    },
  };
}

const NETWORKS: ReadonlyMap<string, Openings["network"]> = new Map([
  ["none", "none"],
  ["bridge", "default"],
  ["host", "host"],
]);

const KEPT: ReadonlySet<string> = new Set(KEPT_CAPABILITIES);
