/** What the parts that deploy, show, stop and repair services need from outside. Composed by the daemon; faked by tests. */
import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import type { ServiceState } from "../state/service-state.ts";
import type { AppFolders } from "./app-folders.ts";
import type { Busy } from "./busy.ts";
import type { Probes } from "./deploys/probes.ts";
import type { Logins } from "./deploys/service-spec.ts";
import type { Edges } from "./edge/edges.ts";
import type { Events } from "./events/events.ts";
import type { ServiceLogs } from "./logs/logs.ts";
import type { ServiceUsage } from "./metrics/usage.ts";
import type { Ports } from "./ports.ts";
import type { Upstream } from "./providers/provider.ts";
import type { Redaction } from "./secrets/redaction.ts";
import type { Providers } from "./providers/providers.ts";

export interface ServiceDeps extends Logins {
  readonly state: ServiceState;
  readonly events: Events;
  readonly providers: Providers;
  readonly defaultProvider: string;
  /** The installation's id: instances that carry it are ours to remove. */
  readonly owner: string;
  readonly edges: Edges;
  /** By name, where `edges` are by address. */
  readonly routes: Follower;
  /** What goes on over the proxy. */
  readonly proxied: Drainer;
  readonly ports: Ports;
  /** What plugins and people are told of a server: its host; `local` for the daemon's own machine. */
  readonly hostOf: (server: string) => string;
  readonly busy: Busy;
  readonly folders: AppFolders;
  /** What has nothing to do with services, and must be left alone. */
  readonly workspaces: {
    hasInstance(instance: string): boolean;
    /** Of that machine. */
    ports(server: string): readonly number[];
  };
  readonly logs: ServiceLogs;
  readonly probes: Probes;
  /** Takes secrets out of what instances and engines say, before it is kept or shown. */
  readonly redaction: Pick<Redaction, "all" | "of">;
  /** Hands over an unpacked upload, once. Throws `upload.not_found`. */
  readonly takeUpload: (id: string) => Promise<Upload>;
  /** What the instance uses; nothing where it was not measured lately. */
  readonly usageOf: (service: string, instance: string) => ServiceUsage | undefined;
  readonly clock: Clock;
  readonly log: Log;
}

export interface Upload {
  readonly directory: string;
  /** `sha256:…` over its content. */
  readonly digest: string;
}

/** Looks at once what the state says of a service now, and acts on it. */
export interface Follower {
  follow(service: string): void;
}

/** Resolves when nothing leads to the instance any more; what still does after `timeoutMs`, or at the signal, is cut. */
export interface Drainer {
  drain(upstream: Upstream, timeoutMs: number, signal: AbortSignal): Promise<void>;
}
