/**
 * What a workspace is made from: kept with it as JSON, and never changed. Pure. Called by everything here that makes one, shows one or
 * tells of one.
 */
import type { WorkspaceRow } from "../../state/workspaces.ts";
import type { InstanceSpec, PortBinding, RegistryAuth, Volume } from "../providers/provider.ts";

export interface WorkspaceSpec {
  /** Absent where its provider runs folders. */
  readonly image: string | undefined;
  readonly ports: readonly PortBinding[];
  readonly env: Readonly<Record<string, string>>;
  readonly cpus: number | undefined;
  readonly memoryBytes: number | undefined;
  readonly volumes: readonly Volume[];
  readonly command: readonly string[] | undefined;
}

export function encodeSpec(spec: WorkspaceSpec): string {
  return JSON.stringify(spec);
}

/** Reads what `encodeSpec` wrote, also by an older voxeltron that knew fewer fields. */
export function decodeSpec(text: string): WorkspaceSpec {
  return { ...EMPTY, ...(JSON.parse(text) as Partial<WorkspaceSpec>) };
}

export interface InstanceOwner {
  readonly id: string;
  /** The installation's id. */
  readonly owner: string;
  readonly workspace: string;
}

/** As its provider wants it. It always runs again where it ended by itself: a workspace is there until it is stopped. */
export function instanceSpec(
  spec: WorkspaceSpec,
  { id, owner, workspace }: InstanceOwner,
  registryAuth: RegistryAuth | undefined,
): InstanceSpec {
  return {
    id,
    owner,
    service: undefined,
    workspace,
    version: 1,
    image: spec.image,
    directory: undefined,
    build: undefined,
    command: spec.command,
    env: spec.env,
    port: undefined,
    hostPort: undefined,
    ports: spec.ports,
    memoryBytes: spec.memoryBytes,
    cpus: spec.cpus,
    volumes: spec.volumes,
    restart: "always",
    registryAuth,
    buildLogins: [],
  };
}

/** What its provider is asked for: the very image that it was made from, where that can be had again. */
export function imageOf({ image }: Pick<WorkspaceRow, "image">, spec: WorkspaceSpec): string | undefined {
  // A bare id names an image only while the engine has it; the reference can be pulled again.
  return image === null || spec.image === undefined || image.startsWith("sha256:") ? spec.image : image;
}

// --- internal ---

const EMPTY: WorkspaceSpec = {
  image: undefined,
  ports: [],
  env: {},
  cpus: undefined,
  memoryBytes: undefined,
  volumes: [],
  command: undefined,
};
