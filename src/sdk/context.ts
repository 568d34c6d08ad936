/**
 * `ctx`, the second argument of every hook: all that a plugin can ask of its host. Every call but `log` and `config`
 * goes through the daemon's broker, which refuses what the operator did not grant.
 */
import type { Capability } from "./capabilities.ts";

/** What a plugin is given. Methods of capabilities that were not granted reject with `capability.denied`. */
export interface PluginContext {
  readonly plugin: { readonly name: string; readonly version: string };
  readonly log: PluginLog;
  /** The manifest's `[config]`, with the operator's own values in place of the defaults. */
  readonly config: Readonly<Record<string, ConfigValue>>;
  readonly kv: PluginStore;
  readonly notify: Notifier;
  readonly logs: ServiceLogs;
}

/** What may stand in a manifest's `[config]`. */
export type ConfigValue = string | number | boolean | readonly string[];

/** Lines for `voxeltron plugin logs NAME`. Needs no capability. At most 8 KiB of text a line; more is cut. */
export interface PluginLog {
  debug(text: string, fields?: Readonly<Record<string, unknown>>): void;
  info(text: string, fields?: Readonly<Record<string, unknown>>): void;
  warn(text: string, fields?: Readonly<Record<string, unknown>>): void;
  error(text: string, fields?: Readonly<Record<string, unknown>>): void;
}

/**
 * The plugin's own small store. Needs no capability; no other plugin sees it; it survives restarts and new versions,
 * and goes when the plugin is removed. Keys: 1–256 characters, at most 10,000. Values: any JSON up to 256 KiB, 8 MiB in all.
 *
 * @example
 * const seen = ((await ctx.kv.get("seen")) as number | undefined) ?? 0;
 * await ctx.kv.set("seen", seen + 1);
 */
export interface PluginStore {
  /** The value, or undefined where there is none. */
  get(key: string): Promise<unknown>;
  /** Rejects with `capability.limit` when the value or the store would grow too large. */
  set(key: string, value: unknown): Promise<void>;
  /** True where something was deleted. */
  delete(key: string): Promise<boolean>;
  /** Keys in order, only those that begin with `prefix`. */
  list(prefix?: string): Promise<string[]>;
}

/** Severity of a notification. */
export type Severity = "info" | "warning" | "error";

/** What a notification says. `title` up to 200 characters, `text` up to 4,000. */
export interface NotifyMessage {
  readonly title?: string;
  readonly text: string;
  readonly severity?: Severity;
}

/**
 * Channels that the operator wrote into the daemon's configuration (`[notify.NAME]`): the plugin names one and never
 * sees its address. Needs `notify_send`.
 */
export interface Notifier {
  /**
   * Resolves when the channel's endpoint has accepted the message.
   *
   * Rejects with `capability.denied`, `capability.out_of_scope`, `notify.unknown_channel` or `notify.failed`.
   *
   * @example await ctx.notify.send("ops", { title: "Deployed", text: `${event.service} is live`, severity: "info" });
   */
  send(channel: string, message: NotifyMessage | string): Promise<void>;
}

/** How serious a line is. */
export type LogLevel = "debug" | "info" | "warn" | "error";

/** A line that a service wrote. */
export interface LogLine {
  /** When, as RFC 3339 in UTC with milliseconds. */
  readonly at: string;
  /** What the line's own text says (JSON, logfmt, `[ERROR]`, syslog …); otherwise `error` for stderr and `info` for stdout. */
  readonly level: LogLevel;
  readonly stream: "stdout" | "stderr";
  /** Without its end. Values of the service's secrets are taken out; a line of more than 1 MiB comes in pieces. */
  readonly text: string;
  /** The version of the service that wrote it: 1, 2, 3 … */
  readonly version: number;
}

/** Which lines of a service's log. What is left out is not asked for. */
export interface LogFilter {
  readonly service: string;
  /** RFC 3339, or how long ago: `"10m"`, `"2h"`. */
  readonly since?: string;
  /** Text that stands in the line, as it is; no pattern. Up to 1,000 characters. */
  readonly search?: string;
  /** With `search`: capital or not does not matter. */
  readonly ignoreCase?: boolean;
  /** This level and what is more serious. */
  readonly level?: LogLevel;
  readonly stream?: "stdout" | "stderr";
}

/**
 * What services wrote and write, over restarts and versions, as far as it is kept (64 MiB a service, if the operator wants no other).
 * Needs `logs_read`; a scope names services.
 */
export interface ServiceLogs {
  /**
   * The newest lines, the oldest of them first: `limit` at most (100; up to 5,000), and no more than 6 MiB together.
   *
   * Rejects with `capability.denied`, `capability.out_of_scope` or `service.not_found`.
   *
   * @example
   * const errors = await ctx.logs.query({ service: "web", since: "10m", level: "error", limit: 20 });
   */
  query(options: LogFilter & { readonly until?: string; readonly limit?: number }): Promise<LogLine[]>;
  /**
   * Lines as they come, from now on or, with `since`, from then; without gap or repetition, over deploys and restarts. Ends when the
   * service is removed. Rejects as `query` does, also later, when the right is withdrawn.
   *
   * @example
   * for await (const line of ctx.logs.follow({ service: "web", search: "out of memory" })) {
   *   await ctx.notify.send("ops", `web: ${line.text}`);
   *   break;
   * }
   */
  follow(options: LogFilter): AsyncIterable<LogLine>;
}

/** What a rejected call of `ctx` or a refused `fetch` rejects with. */
export interface PluginError extends Error {
  /** Stable, such as `capability.denied`; see docs/errors.md. */
  readonly code: string;
  /** What to do about it, where there is something. */
  readonly hint?: string;
  /** On `capability.denied`: the capability that is missing. */
  readonly capability?: Capability;
}
