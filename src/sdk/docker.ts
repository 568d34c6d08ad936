/**
 * `ctx.docker`: containers of the Docker engine, as a fixed list of operations. Nothing here is the engine's own interface, and
 * whatever is not named here can't be asked for or learned.
 */

/**
 * Containers. Looking needs `docker_read`, changing needs `docker_write`.
 *
 * A container is named by its full id, by at least twelve digits of it, or by its exact name. One that the plugin may not see
 * is, for it, not there: `container.not_found`.
 *
 * With the whole of `docker_read` it sees what this voxeltron made: instances of services, and containers of plugins. With the scope
 * `all` it sees every container of the engine, with names of services their instances only. With the whole of `docker_write` it
 * may change instances of services and what it made itself; with names of services their instances only.
 *
 * @example
 * for (const container of await ctx.docker.list())
 *   if (container.state === "exited") ctx.log.warn(`${container.name} has ended`, { image: container.image });
 */
export interface Containers {
  /** The newest thousand that the plugin may see, newest first. Needs `docker_read`. */
  list(): Promise<Container[]>;
  /** Needs `docker_read`. */
  inspect(id: string): Promise<ContainerDetails>;
  /** Takes up to two seconds, as engines measure once a second. Rejects with `container.not_running`. Needs `docker_read`. */
  stats(id: string): Promise<ContainerUsage>;
  /**
   * What happens from now on to containers that the plugin may see. Needs `docker_read`.
   *
   * @example
   * for await (const { action, name, exitCode } of ctx.docker.events())
   *   if (action === "die") ctx.log.warn(`${name} ended`, { exitCode });
   */
  events(): AsyncIterable<ContainerEvent>;
  /**
   * Makes a container, and does not start it. Needs the whole of `docker_write`. Rejects with `container.invalid`, `container.exists`,
   * `container.image_not_found`, `capability.limit`, and with `capability.out_of_scope` for what the operator did not open under
   * `[docker]` in the daemon's configuration.
   *
   * @example
   * const { id } = await ctx.docker.create({ image: "redis:7", name: "cache", memory: "256m", volumes: [{ name: "data", target: "/data" }] });
   * await ctx.docker.start(id);
   */
  create(spec: ContainerSpec): Promise<{ id: string; name: string }>;
  /** An instance is started as its service, as `voxeltron start` does it. Harmless where it runs already. */
  start(id: string): Promise<void>;
  /** Asks it to end, and makes it end after ten seconds. An instance is stopped as its service, and stays so until it is started. */
  stop(id: string): Promise<void>;
  restart(id: string): Promise<void>;
  /** Ends and removes what the plugin made, with its unnamed volumes. Instances of services are refused: `capability.out_of_scope`. */
  remove(id: string): Promise<void>;
}

/** A container in a list. Texts come from whoever made it: at most 256 characters, in one line. */
export interface Container {
  /** 64 hexadecimal digits. */
  readonly id: string;
  readonly name: string;
  readonly image: string;
  /** What made it: a deploy, a plugin, or somebody else. */
  readonly origin: "service" | "plugin" | "other";
  /** With `service`: which, and of which version. */
  readonly service?: string;
  readonly version?: number;
  /** With `plugin`: which. */
  readonly plugin?: string;
  readonly state:
    | "created"
    | "running"
    | "paused"
    | "restarting"
    | "removing"
    | "exited"
    | "dead"
    | "unknown";
  /** The engine's own words: `Up 3 minutes (healthy)`. */
  readonly status: string;
  /** RFC 3339, UTC, like all times here. */
  readonly createdAt: string;
  /** At most five in a list. */
  readonly ports: readonly ContainerPort[];
}

/** A port; `host` and `address` are where it is published. */
export interface ContainerPort {
  readonly container: number;
  readonly protocol: string;
  readonly host?: number;
  readonly address?: string;
}

/** A container that was looked at. Its environment, its arguments and paths of the host are never shown. */
export interface ContainerDetails extends Omit<Container, "status"> {
  readonly startedAt?: string;
  readonly endedAt?: string;
  /** Where it has ended. */
  readonly exitCode?: number;
  readonly outOfMemory: boolean;
  /** How often the engine started it again. */
  readonly restarts: number;
  readonly restart: "no" | "on-failure" | "always";
  readonly health?: { readonly status: "starting" | "healthy" | "unhealthy"; readonly failures: number };
  /** The name of its program alone. */
  readonly program: string;
  readonly networks: readonly string[];
  readonly mounts: readonly ContainerMount[];
  readonly limits: { readonly memoryBytes?: number; readonly cpus?: number; readonly processes?: number };
  /** `org.opencontainers.image.*`: `title version revision source url documentation created licenses vendor`, where it has them. */
  readonly labels: Readonly<Record<string, string>>;
}

/** What is mounted in a container; `name` is a volume's. */
export interface ContainerMount {
  readonly type: "volume" | "bind" | "tmpfs" | "other";
  readonly name?: string;
  readonly target: string;
  readonly readOnly: boolean;
}

/** What a container uses. Bytes are counted since it was started. */
export interface ContainerUsage {
  readonly at: string;
  readonly cpuSeconds: number;
  /** Of one processor, just now: 150 is one and a half. */
  readonly cpuPercent: number;
  readonly memoryBytes: number;
  readonly memoryLimitBytes: number;
  readonly networkInBytes: number;
  readonly networkOutBytes: number;
  readonly diskReadBytes: number;
  readonly diskWriteBytes: number;
  readonly processes: number;
}

/** Something that happened to a container. */
export interface ContainerEvent extends Pick<
  Container,
  "id" | "name" | "image" | "origin" | "service" | "version" | "plugin"
> {
  readonly at: string;
  readonly action:
    | "create"
    | "start"
    | "restart"
    | "stop"
    | "kill"
    | "die"
    | "oom"
    | "pause"
    | "unpause"
    | "rename"
    | "destroy"
    | "health";
  /** With `die`. */
  readonly exitCode?: number;
  /** With `health`. */
  readonly health?: "healthy" | "unhealthy";
}

/** What `create` takes. A key that is not here is an error. */
export interface ContainerSpec {
  /** One that the engine has; one that it has not is pulled only from registries in `[docker] allow_pull`. */
  readonly image: string;
  /** 1–63 lower-case letters, digits, `-`, `_`. The container is called `vxp.PLUGIN.NAME`. */
  readonly name?: string;
  /** In place of the image's own. At most 100 words. */
  readonly command?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Lower-case keys; `voxeltron.*`, `com.docker.*`, `io.docker.*` and `org.dockerproject.*` are refused. */
  readonly labels?: Readonly<Record<string, string>>;
  /** `512m`, `1g`; 512 MiB where nothing is said, at most 8 GiB. */
  readonly memory?: string;
  /** 1 where nothing is said, at most 16. */
  readonly cpus?: number;
  /** `no` where nothing is said. */
  readonly restart?: "no" | "on-failure" | "always";
  /** Volumes of this plugin's containers alone; each is made when it is named first, and outlives the container. */
  readonly volumes?: readonly {
    readonly name: string;
    readonly target: string;
    readonly readOnly?: boolean;
  }[];
  /** `none` where nothing is said; `default` needs `[docker] allow_network`, `host` needs `allow_host_network`. */
  readonly network?: "none" | "default" | "host";
  /**
   * Published on `127.0.0.1`; on other addresses with `[docker] allow_public_ports`. `host` from 1024, and none from 20000 to 31999, which are
   * services'; the engine takes a free one where it is absent.
   */
  readonly ports?: readonly {
    readonly container: number;
    readonly host?: number;
    readonly protocol?: "tcp" | "udp";
    readonly address?: string;
  }[];
  /** Each of these is closed until the operator opens it under `[docker]`: `allow_binds`, by the same path; */
  readonly binds?: readonly {
    readonly source: string;
    readonly target: string;
    readonly readOnly?: boolean;
  }[];
  /** `allow_devices`; */
  readonly devices?: readonly string[];
  /** `allow_capabilities`, such as `NET_ADMIN`; */
  readonly capabilities?: readonly string[];
  /** `allow_host_pid`; */
  readonly pid?: "host";
  /** `allow_host_ipc`; */
  readonly ipc?: "host";
  /** `allow_privileged`. */
  readonly privileged?: boolean;
}
