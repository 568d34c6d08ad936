/**
 * `ctx`, the second argument of every hook: all that a plugin can ask of its host. Every call but `log` and `config`
 * goes through the daemon's broker, which refuses what the operator did not grant.
 */
import type { Capability } from "./capabilities.ts";
import type { Containers } from "./docker.ts";

/** What a plugin is given. Methods of capabilities that were not granted reject with `capability.denied`. */
export interface PluginContext {
  readonly plugin: { readonly name: string; readonly version: string };
  readonly log: PluginLog;
  /** The manifest's `[config]`, with the operator's own values in place of the defaults. */
  readonly config: Readonly<Record<string, ConfigValue>>;
  readonly kv: PluginStore;
  readonly notify: Notifier;
  readonly docker: Containers;
  readonly secrets: Secrets;
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
   * Resolves when the channel's endpoint has accepted the message. What may go better the next time (a network failure, HTTP 429
   * or 5xx, SMTP 4xx) is tried again up to two times, within the hook's own time.
   *
   * Rejects with `capability.denied`, `capability.out_of_scope`, `notify.unknown_channel`, `notify.failed`, or `capability.limit`
   * where the plugin sends more than its share: 10 at once, then 30 a minute unless the operator says otherwise.
   *
   * @example await ctx.notify.send("ops", { title: "Deployed", text: `${event.service} is live`, severity: "info" });
   */
  send(channel: string, message: NotifyMessage | string): Promise<void>;
}

/**
 * The variables that services start with, those of `voxeltron secret set` and of `voxeltron env set` alike: what the next
 * instance of the service gets. Needs `secrets_read`; its scope names what may be read: `NAME` (in every service),
 * `service/NAME` or `service/*`. Each read is in the audit log. Values are taken out of what a plugin logs, throws and returns
 * from `plugin call`; where it sends or stores one is the plugin's own business.
 */
export interface Secrets {
  /**
   * The value, as text: at most 128 KiB.
   *
   * Rejects with `capability.denied`, `capability.out_of_scope`, `secret.not_found`, or `secret.unreadable` where the daemon's
   * key does not open it.
   *
   * @example
   * const token = await ctx.secrets.get(event.service, "METRICS_TOKEN");
   * ctx.log.info(`the token has ${token.length} characters`);
   */
  get(service: string, name: string): Promise<string>;
  /** Names in order, only those that the scope reaches. Rejects with `capability.denied` or `service.not_found`. */
  list(service: string): Promise<string[]>;
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
