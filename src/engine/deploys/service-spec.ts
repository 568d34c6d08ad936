/**
 * What a version of a service is made from: kept with each version as JSON, and inherited by the next where it says nothing
 * new. Pure. Called by plan.ts, and by everything that makes an instance again or shows it.
 */
import type {
  FolderBuild,
  InstanceSpec,
  RegistryAuth,
  RestartPolicy,
  Upstream,
  Volume,
} from "../providers/provider.ts";
import { LOCAL, type Place } from "../providers/providers.ts";
import { formatAddress, type Address } from "../edge/address.ts";

export interface ServiceSpec extends Place {
  readonly source: Source;
  readonly command: readonly string[] | undefined;
  readonly env: Readonly<Record<string, string>>;
  readonly port: number | undefined;
  readonly publish: Address | undefined;
  readonly domains: readonly string[];
  readonly volumes: readonly Volume[];
  readonly memoryBytes: number | undefined;
  readonly cpus: number | undefined;
  readonly restart: RestartPolicy;
  /** Path of the health check; without it a TCP connection to the port is enough. */
  readonly health: string | undefined;
  readonly healthTimeoutMs: number | undefined;
}

export type Source =
  | { readonly kind: "image"; readonly reference: string }
  /** `path` is where the unpacked upload lives. */
  | {
      readonly kind: "folder";
      readonly path: string;
      readonly digest: string;
      /** Where an image is made from it. */
      readonly build?: FolderBuild | undefined;
    };

export const EMPTY_SPEC: Omit<ServiceSpec, "provider" | "source"> = {
  server: LOCAL,
  command: undefined,
  env: {},
  port: undefined,
  publish: undefined,
  domains: [],
  volumes: [],
  memoryBytes: undefined,
  cpus: undefined,
  restart: "always",
  health: undefined,
  healthTimeoutMs: undefined,
};

export function encodeSpec(spec: ServiceSpec): string {
  return JSON.stringify(spec);
}

/** Reads what `encodeSpec` wrote, also by an older voxeltron that knew fewer fields. */
export function decodeSpec(text: string): ServiceSpec {
  return { ...EMPTY_SPEC, ...(JSON.parse(text) as ServiceSpec) };
}

/** What runs, as the operator knows it: the reference as it was typed, or the folder's digest. */
export function sourceName(source: Source): string {
  return source.kind === "image" ? source.reference : source.digest;
}

/** Where people reach it: the published address, else where its instance is reached, else nowhere. */
export function addressOf(spec: ServiceSpec, upstream: Upstream | undefined): string | undefined {
  if (spec.publish !== undefined) return formatAddress(spec.publish);
  return upstream === undefined ? undefined : formatAddress(upstream);
}

/** What runs is an image, which was pulled or built. */
export function isImage(source: Source): boolean {
  return source.kind === "image" || source.build !== undefined;
}

export interface InstanceIdentity {
  readonly id: string;
  readonly owner: string;
  readonly service: string;
  readonly version: number;
  readonly hostPort: number | undefined;
}

/** Who we are at registries. */
export interface Logins {
  /** At the one of this image, if we are someone there. */
  readonly registryAuth: (image: string) => RegistryAuth | undefined;
  readonly registryLogins: () => readonly RegistryAuth[];
}

/** For a spec that is looked at and not run. */
export const NO_LOGINS: Logins = { registryAuth: () => undefined, registryLogins: () => [] };

export function instanceSpec(spec: ServiceSpec, identity: InstanceIdentity, logins: Logins): InstanceSpec {
  const { source } = spec;
  return {
    ...identity,
    image: source.kind === "image" ? source.reference : undefined,
    directory: source.kind === "folder" ? source.path : undefined,
    build: source.kind === "folder" ? source.build : undefined,
    command: spec.command,
    env: spec.env,
    workspace: undefined,
    port: spec.port,
    ports: [],
    memoryBytes: spec.memoryBytes,
    cpus: spec.cpus,
    volumes: spec.volumes,
    restart: spec.restart,
    registryAuth: source.kind === "image" ? logins.registryAuth(source.reference) : undefined,
    buildLogins: source.kind === "folder" && source.build !== undefined ? logins.registryLogins() : [],
  };
}
