/**
 * What runs instances. Built in: `docker`, `process`. An instance is made once and never changed: a new version is a new
 * instance. Every method but `create` is idempotent, and all of them are told instances by id, so that a daemon that was
 * killed in between can say the same again. Errors: `provider.*`, `deploy.*`, `instance.not_found`.
 */

export interface Provider {
  readonly name: string;
  /** Where it runs instances: `local`, or a server of the configuration. */
  readonly server: string;
  /**
   * A workspace's instance has the workspace's own name, which somebody else's may have too; and whoever runs it has deadlines of its
   * own. Its errors: `plugin.failed` where it said no; any other leaves open what became of what it was asked for.
   */
  readonly plainNames?: true;
  /** Nothing of it starts an instance again that has ended: the engine looks after its services. */
  readonly unattended?: true;
  /** How long such work may take, where that is longer than is usual. */
  workMs?(work: ProviderWork): number;
  /** Its output is looked at from time to time, and not followed: pauses between two looks, the longer the more often nothing came. */
  readonly logRestsMs?: readonly number[];
  /** Throws `provider.unsupported` for what this provider can't do: nothing in a spec is silently ignored. */
  check(spec: InstanceSpec): void;
  /** Makes images from folders that say how: see `InstanceSpec.build`. */
  readonly builds?: {
    /** Removes the images of a service that none of its versions needs any more. */
    prune(owner: string, service: string, keep: ReadonlySet<string>): Promise<void>;
  };
  /** Brings what the instance needs (pulls an image, unpacks a folder) and gives its exact name: a digest where there is one. */
  prepare(spec: InstanceSpec, context: WorkContext): Promise<string>;
  create(spec: InstanceSpec, context: WorkContext): Promise<void>;
  start(id: string): Promise<void>;
  /** Asks it to end, and makes it end after `graceMs`. */
  stop(id: string, graceMs: number): Promise<void>;
  /** Removes it with all that belongs to it but its volumes. Not there: fine. */
  destroy(id: string): Promise<void>;
  status(id: string): Promise<InstanceStatus>;
  /** What it has used; nothing where it does not run. Absent where the provider can't tell. */
  readonly stats?: ((id: string) => Promise<InstanceStats | undefined>) | undefined;
  /** Ids of all instances that this daemon (`owner`) ever made and that still exist. */
  list(owner: string): Promise<readonly string[]>;
  /**
   * What the instance wrote, and writes, over its restarts. Asking for the next batch says that those before are kept elsewhere: they
   * may be let go of, unless somebody only looks. Nothing is read far ahead. Ends when the instance has ended and all was given, or
   * at the signal.
   */
  logs(id: string, options: LogOptions): AsyncIterable<LogBatch>;
  exec(id: string, options: ExecOptions): Promise<number>;
  /** Where the instance's port is reached from this machine, once it runs; absent: at the loopback port that the engine chose. */
  reach?(spec: InstanceSpec): Promise<Upstream>;
}

export type ProviderWork = "create" | "start" | "stop" | "destroy" | "status";

/** How long is waited for it: as for every provider, or as long as this one says. */
export function workMs(provider: Pick<Provider, "workMs">, work: ProviderWork, usualMs: number): number {
  return Math.max(usualMs, provider.workMs?.(work) ?? 0);
}

/** Where the port of an instance is reached from this machine. */
export interface Upstream {
  readonly host: string;
  readonly port: number;
}

/** Where a provider that does not say otherwise publishes. */
export function onLoopback(port: number): Upstream {
  return { host: "127.0.0.1", port };
}

/**
 * The secret values of a service, asked for at the moment when an instance gets its environment. They are in no spec, so that
 * nothing that keeps or shows a spec has them. Throws `secret.*`.
 */
export type SecretsOf = (service: string) => Readonly<Record<string, string>>;

export const noSecrets: SecretsOf = () => ({});

export interface InstanceSpec {
  /** Chosen by the engine before anything is made; also the container's name: `vx-web-3-1f2e3d4c`. */
  readonly id: string;
  /** The daemon's installation id: what it made is told apart from what others made. */
  readonly owner: string;
  /** Whose it is: of a service, or of a workspace; the other one is undefined. A workspace has no versions but 1. */
  readonly service: string | undefined;
  readonly workspace: string | undefined;
  readonly version: number;
  readonly image: string | undefined;
  /** Absolute path of an unpacked upload, for providers that run folders. */
  readonly directory: string | undefined;
  /** How an image is made from the directory, for providers that do. With it `image` is one that may be there already. */
  readonly build: FolderBuild | undefined;
  readonly command: readonly string[] | undefined;
  readonly env: Readonly<Record<string, string>>;
  /** Port inside the instance, and the loopback port that the engine chose for it. */
  readonly port: number | undefined;
  readonly hostPort: number | undefined;
  /** Of a workspace, which has as many as it likes, where its operator wants them. */
  readonly ports: readonly PortBinding[];
  readonly memoryBytes: number | undefined;
  readonly cpus: number | undefined;
  readonly volumes: readonly Volume[];
  readonly restart: RestartPolicy;
  readonly registryAuth: RegistryAuth | undefined;
  /** For a build, whose Dockerfile may name images of any registry. */
  readonly buildLogins: readonly RegistryAuth[];
}

export interface FolderBuild {
  /** In the directory, relative to it. */
  readonly dockerfile: string;
  readonly args: Readonly<Record<string, string>>;
}

export interface PortBinding {
  /** As the operator calls it: the port inside, or a name. */
  readonly key: string;
  readonly inside: number;
  /** On 127.0.0.1 of the machine that it runs on. */
  readonly outside: number;
}

export type RestartPolicy = "always" | "on-failure" | "no";

export interface Volume {
  /** A volume's name, or an absolute path of the host. */
  readonly source: string;
  readonly target: string;
  readonly readOnly: boolean;
}

export interface RegistryAuth {
  readonly host: string;
  readonly username: string;
  readonly password: string;
}

export interface InstanceStatus {
  readonly state: InstanceState;
  readonly exitCode?: number;
  readonly startedAt?: string;
  readonly restarts?: number;
  /** The last thing the system says about it, such as "out of memory". */
  readonly detail?: string;
}

/** `stopped`: it was asked to end; `exited`: it ended, by itself or asked; `dead`: it can't be started again. */
export const INSTANCE_STATES = [
  "created",
  "running",
  "paused",
  "restarting",
  "stopped",
  "exited",
  "dead",
  "missing",
] as const;

export type InstanceState = (typeof INSTANCE_STATES)[number];

/** It ran, and runs no more. */
export function hasEnded({ state }: Pick<InstanceStatus, "state">): boolean {
  return state === "stopped" || state === "exited" || state === "dead";
}

/** Nothing has to be started. */
export function isUp({ state }: Pick<InstanceStatus, "state">): boolean {
  return state === "running" || state === "restarting" || state === "paused";
}

/** Counters begin at 0 with every run. What the provider can't tell is absent. */
export interface InstanceStats {
  /** Another text after every start: counters of two runs can't be compared. */
  readonly run: string;
  /** Of all its processes together. */
  readonly cpuSeconds: number;
  /** Without the file cache. */
  readonly memoryBytes: number;
  /** Absent where there is none. */
  readonly memoryLimitBytes?: number;
  readonly networkRxBytes?: number;
  readonly networkTxBytes?: number;
  readonly blockReadBytes?: number;
  readonly blockWriteBytes?: number;
  readonly restarts?: number;
}

export interface WorkContext {
  readonly signal: AbortSignal;
  /** A line for the person who waits; `percent` where it is known. */
  readonly progress: (text: string, percent?: number) => void;
}

export interface LogOptions {
  /** The position of the last batch that is kept; undefined: from the first line on. */
  readonly from: string | undefined;
  /** Somebody looks at it, and keeps nothing. */
  readonly look?: LogLook | undefined;
  readonly signal: AbortSignal;
}

export interface LogLook {
  /** Begins at the last so many lines; undefined: at the oldest that is kept. */
  readonly tail: number | undefined;
  /** False: ends behind what has been written by now. */
  readonly follow: boolean;
}

export type OutputStream = "stdout" | "stderr";

export interface LogBatch {
  /** In the order in which they were written, as far as that is known. */
  readonly parts: readonly LogPart[];
  /** Where to go on behind it: a few printable characters without a blank, which nobody else understands. */
  readonly position: string;
}

export interface LogPart {
  readonly stream: OutputStream;
  readonly atMs: number;
  /** Whole lines, without the end of the last one. One that is too long comes in pieces. */
  readonly text: string;
}

export interface ExecOptions {
  readonly command: readonly string[];
  readonly stdin: Uint8Array | undefined;
  readonly signal: AbortSignal;
  /** Resolves when more can be taken; until then the command's output is left unread. */
  readonly output: (stream: OutputStream, bytes: Uint8Array) => Promise<void>;
}
