/**
 * `ctx`, the second argument of every hook: all that a plugin can ask of its host. Every call but `log` and `config`
 * goes through the daemon's broker, which refuses what the operator did not grant.
 */
import type { Capability } from "./capabilities.ts";
import type { Containers } from "./docker.ts";
import type { ServiceLogs } from "./logs.ts";
import type { MetricInfo, MetricName } from "./metrics.ts";
import type { PluginNetwork } from "./network.ts";

/** What a plugin is given. Methods of capabilities that were not granted reject with `capability.denied`. */
export interface PluginContext {
  readonly plugin: { readonly name: string; readonly version: string };
  readonly log: PluginLog;
  /** The manifest's `[config]`, with the operator's own values in place of the defaults. */
  readonly config: Readonly<Record<string, ConfigValue>>;
  readonly kv: PluginStore;
  readonly fs: PluginFiles;
  readonly net: PluginNetwork;
  readonly notify: Notifier;
  readonly docker: Containers;
  readonly secrets: Secrets;
  readonly logs: ServiceLogs;
  readonly metrics: MetricsReader;
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

/** What a file or a folder is. `size` in bytes, 0 for what is no file. `other`: a link, a pipe and the like, which is never opened. */
export interface FileEntry {
  readonly name: string;
  readonly type: "file" | "directory" | "other";
  readonly size: number;
}

export interface FileStat {
  readonly type: "file" | "directory" | "other";
  readonly size: number;
  /** RFC 3339, UTC. */
  readonly modified: string;
}

/** Bytes of a file: from `offset` (0 where it is missing), `length` of them (to the end where it is missing). */
export interface FileRange {
  readonly offset?: number;
  readonly length?: number;
}

/**
 * Files in the daemon's data directory: `files/…`, which all plugins with the right to it share, and `backups/…`, which can be read and
 * not changed. Reading (`read` `readText` `list` `stat`) needs `fs_read`, the rest `fs_write`; a scope such as `files/reports` opens
 * that folder and all below it. At most 5 MiB a call. Paths are names between single slashes, without `..`; links are never followed.
 *
 * All reject with `capability.denied`, `capability.out_of_scope` (another place, a link), `capability.invalid_params`,
 * `capability.limit` (too much for one call, or for what plugins may keep), `file.not_found`, `file.wrong_type` and `file.failed`.
 *
 * @example
 * await ctx.fs.mkdir("files/reports", { parents: true });
 * await ctx.fs.append("files/reports/deploys.log", `${event.at} ${event.service} v${event.version}\n`);
 * const log = await ctx.fs.readText("files/reports/deploys.log");
 * await ctx.fs.write("files/reports/count", String(log.split("\n").length - 1));
 */
export interface PluginFiles {
  /** All of a file, or a part of it. A range behind its end is empty. */
  read(path: string, range?: FileRange): Promise<Uint8Array>;
  /** The same as text; rejects with `file.not_text` where it is not UTF-8. */
  readText(path: string, range?: FileRange): Promise<string>;
  /**
   * What is in a folder, in the order of the names. More than 10,000 entries are listed in parts: `limit` of them, those whose names come
   * after `after`.
   */
  list(path: string, part?: { readonly after?: string; readonly limit?: number }): Promise<FileEntry[]>;
  stat(path: string): Promise<FileStat>;
  /** Puts all of `data` in place of the file, or nothing: who reads gets the old content or the new one. It is on the disk then. */
  write(path: string, data: string | Uint8Array): Promise<void>;
  /** Adds to the end of a file, and makes it where there is none. */
  append(path: string, data: string | Uint8Array): Promise<void>;
  /** A file, or a folder with nothing in it; else rejects with `file.not_empty`. */
  remove(path: string): Promise<void>;
  /** Rejects with `file.exists`. With `parents` it makes those too, and is content with a folder that is there. */
  mkdir(path: string, options?: { readonly parents?: boolean }): Promise<void>;
  /** A file takes the place of another; nothing takes that of a folder (`file.exists`). */
  rename(from: string, to: string): Promise<void>;
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

/** What `ctx.metrics.query` is asked. Times are RFC 3339, or so long ago, such as "90m"; durations are "30s", "5m", "1h". */
export interface MetricsQuery {
  /** Without one it is about the host, which needs `metrics_read` for everything. */
  readonly service?: string;
  readonly metric: MetricName;
  /** An hour before `to`, where it is absent. */
  readonly from?: string;
  /** Now, where it is absent. */
  readonly to?: string;
  /** One point for each; chosen so that there are some 60, where it is absent. At most 5,000 points are given. */
  readonly step?: string;
  /** `max`: the highest value of each step, in place of the mean. */
  readonly aggregate?: "avg" | "max";
}

/** The answer to a `MetricsQuery`. */
export interface MetricsSeries {
  /** null: the host. */
  readonly service: string | null;
  readonly metric: MetricName;
  readonly unit: MetricInfo["unit"];
  readonly from: string;
  readonly to: string;
  /** What a point stands for, in milliseconds; more than was asked where nothing finer is kept. */
  readonly stepMs: number;
  /** When the step begins (RFC 3339) and its value, oldest first. A step in which nothing was measured is left out. */
  readonly points: readonly (readonly [at: string, value: number])[];
}

/** What services and the host used, as the daemon measured it. Needs `metrics_read`. */
export interface MetricsReader {
  /**
   * Rejects with `capability.denied`, `capability.out_of_scope`, `service.not_found`, `metrics.unknown` or
   * `metrics.invalid_query`.
   *
   * @example
   * const { points } = await ctx.metrics.query({ service: event.service, metric: "memory_bytes", from: "30m", step: "1m" });
   * const peak = Math.max(...points.map(([, bytes]) => bytes));
   * ctx.log.info(`at most ${Math.round(peak / 2 ** 20)} MiB in the last half hour`);
   */
  query(query: MetricsQuery): Promise<MetricsSeries>;
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
