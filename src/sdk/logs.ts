/** `ctx.logs`: what services wrote and write. Needs the capability `logs_read`. */

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
