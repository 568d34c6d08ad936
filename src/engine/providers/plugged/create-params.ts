/**
 * An instance as the devbox plugin API has it in `create`: what is empty is left out, sizes and commands are texts as an operator types
 * them. Pure. Called by provider.ts.
 */
import { commandText } from "../../../base/command-text.ts";
import { formatVolume } from "../../deploys/parse-volume.ts";
import type { InstanceSpec, PortBinding } from "../provider.ts";
import type { Params } from "./plugged-provider.ts";

export function createParams(
  name: string,
  spec: InstanceSpec,
  secrets: Readonly<Record<string, string>>,
): Params {
  const params = {
    name,
    image: spec.image,
    ports: portsOf(spec),
    env: { ...spec.env, ...secrets },
    cpus: spec.cpus,
    memory: spec.memoryBytes === undefined ? undefined : memoryText(spec.memoryBytes),
    volumes: spec.volumes.map(formatVolume),
    command: commandText(spec.command ?? []),
  };
  return Object.fromEntries(Object.entries(params).filter(([, value]) => !isEmpty(value)));
}

/** What the port of a service is called, for addresses that come back. */
export function servicePortKey({ port }: Pick<InstanceSpec, "port">): string {
  return String(port);
}

/** What a workspace's port is called there. A name says nothing of the port inside: it is the one outside, or the name can't be kept. */
export function workspacePortKey({ key, inside, outside }: PortBinding): string {
  const isNumber = /^\d+$/.test(key);
  return !isNumber && inside === outside ? key : String(inside);
}

/** "4g", "512m": the largest unit that leaves no rest. */
export function memoryText(bytes: number): string {
  const [unit, size] = UNITS.find(([, each]) => bytes % each === 0) ?? ["b", 1];
  return `${bytes / size}${unit}`;
}

// --- internal ---

const UNITS = [
  ["g", 1024 ** 3],
  ["m", 1024 ** 2],
  ["k", 1024],
] as const;

function isEmpty(value: unknown): boolean {
  if (value === undefined || value === "") return true;
  return typeof value === "object" && value !== null && Object.keys(value).length === 0;
}

function portsOf({ port, hostPort, ports }: InstanceSpec): Readonly<Record<string, number>> {
  const own =
    port === undefined || hostPort === undefined ? [] : [[servicePortKey({ port }), hostPort] as const];
  return Object.fromEntries([
    ...own,
    ...ports.map((each) => [workspacePortKey(each), each.outside] as const),
  ]);
}
