/**
 * What a hook receives. All events carry `id`, `hook` and `at`; the rest depends on the hook (see `EventOf`).
 * Additive: new fields may appear, none goes away or changes its type.
 */
import type { HookName } from "./hooks.ts";

/** The part that every event has. */
export interface EventBase {
  /** UUIDv7. An event may be delivered more than once (after a crash): use this to recognise it. */
  readonly id: string;
  /** The hook this event is for. */
  readonly hook: HookName;
  /** When it happened, RFC 3339 in UTC, such as `2026-11-21T22:02:20.123Z`. */
  readonly at: string;
}

/**
 * A deploy began, succeeded or failed (`on_deploy_start`, `on_deploy_success`, `on_deploy_fail`).
 *
 * @example
 * const plugin: VoxeltronPlugin = {
 *   async on_deploy_fail(event: DeployEvent, ctx) {
 *     ctx.log.warn(`${event.service} failed at ${event.step}: ${event.error}`);
 *   },
 * };
 */
export interface DeployEvent extends EventBase {
  /** The service's name. */
  readonly service: string;
  /** The first domain, or where there is none the published address; never empty. */
  readonly domain: string;
  readonly domains: readonly string[];
  /** The image reference, or `path` deploys' content digest (`sha256:…`). */
  readonly image: string;
  /** 1 for the first deploy of the service, then 2, 3, … */
  readonly version: number;
  /** The provider that runs it, such as `docker` or `process`. */
  readonly provider: string;
  /** The server it runs on; `local` is the daemon's own. */
  readonly server: string;
  /** Milliseconds since the deploy began; 0 in `on_deploy_start`. */
  readonly durationMs: number;
  /** `on_deploy_fail` only: what went wrong, one sentence. */
  readonly error?: string;
  /** `on_deploy_fail` only: the step that failed, such as `prepare` or `health`. */
  readonly step?: string;
  /** `on_deploy_fail` only: true where an older version keeps running. */
  readonly rolledBack?: boolean;
}

/** A certificate was renewed, or its renewal failed (`on_cert_renew`). */
export interface CertEvent extends EventBase {
  readonly domain: string;
  readonly ok: boolean;
  readonly issuer: string;
  /** RFC 3339, UTC. */
  readonly notAfter: string;
  readonly error?: string;
}

/** A backup ended (`on_backup_complete`). */
export interface BackupEvent extends EventBase {
  readonly target: string;
  readonly kind: string;
  readonly ok: boolean;
  readonly bytes: number;
  readonly durationMs: number;
  readonly error?: string;
}

/** A monitoring alert fired or resolved (`on_alert`). */
export interface AlertEvent extends EventBase {
  readonly name: string;
  readonly state: "firing" | "resolved";
  readonly metric: string;
  readonly value: number;
  readonly threshold: number;
  readonly service?: string;
  /** RFC 3339, UTC. */
  readonly since: string;
  readonly message: string;
}

/** Something happens to a workspace (`pre_…` and `post_…` `create`, `start`, `stop`, `destroy`). */
export interface WorkspaceEvent extends EventBase {
  readonly workspace: string;
  /** The same as `hook`; the name that executables know it by. */
  readonly event: string;
  readonly server: string;
  readonly env: Readonly<Record<string, string>>;
  readonly provider: string;
  readonly image: string;
}

/** The event that each hook receives. */
export interface EventOf {
  on_deploy_start: DeployEvent;
  on_deploy_success: DeployEvent;
  on_deploy_fail: DeployEvent;
  on_cert_renew: CertEvent;
  on_backup_complete: BackupEvent;
  on_alert: AlertEvent;
  pre_create: WorkspaceEvent;
  post_create: WorkspaceEvent;
  pre_start: WorkspaceEvent;
  post_start: WorkspaceEvent;
  pre_stop: WorkspaceEvent;
  post_stop: WorkspaceEvent;
  pre_destroy: WorkspaceEvent;
  post_destroy: WorkspaceEvent;
}

/** Any event. */
export type VoxeltronEvent = EventOf[HookName];
