/**
 * The logs family: `logs.query` and `logs.follow`, what services wrote and write. Values of secrets are taken out before a plugin
 * sees a line. Texts are looked for as they are, never as patterns. Called by catalogue.ts; the logs are engine/logs, passed in.
 */
import * as v from "valibot";
import { LIMITS } from "../../base/limits.ts";
import { LOG_LEVELS, type LogLevel } from "../../base/log.ts";
import { isMoment } from "../../base/moment.ts";
import { quote } from "../../base/text.ts";
import type { LogLine } from "../../sdk/index.ts";
import { makeAllowances } from "./allowance.ts";
import { outOfScope } from "./denial.ts";
import { method, streamMethod, type Caller, type Method } from "./method.ts";
import { inScope } from "./scopes.ts";

/** What the family needs of the engine's logs. Lines are redacted. */
export interface ServiceLogReader {
  isService(name: string): boolean;
  /** Throws `service.not_found`. With `follow` it goes on until the signal, or until the service is removed. */
  read(service: string, query: LogReading): AsyncIterable<LogLine>;
}

export interface LogReading {
  readonly since?: string | undefined;
  readonly until?: string | undefined;
  readonly level?: LogLevel | undefined;
  readonly search?: string | undefined;
  readonly ignoreCase?: boolean | undefined;
  readonly stream?: "stdout" | "stderr" | undefined;
  readonly lines?: number | undefined;
  readonly follow: boolean;
  readonly signal: AbortSignal;
}

/** `logs.query {service, since?, until?, search?, ignoreCase?, level?, stream?, limit?}` → lines · `logs.follow` without `until`, `limit`: a stream of them. */
export function logsMethods(logs: ServiceLogReader): readonly Method[] {
  // Each looks through megabytes: the others of this plugin wait.
  const allowanceOf = makeAllowances({ places: LIMITS.logQueriesAtOnce, bytes: 0 });
  const rules = {
    args: "object",
    anyOf: ["logs_read"],
    target: ({ service }: Target) => service,
    scope: ({ service }: Target) => commandSafe(logs, service),
    check: (caller: Caller, { service }: Target) => checkScope(caller, logs, service),
  } as const;
  return [
    method({
      ...rules,
      name: "logs.query",
      params: v.strictObject({
        ...filter,
        until: v.optional(moment),
        limit: v.optional(
          v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(LIMITS.logLinesRead)),
          LINES_READ,
        ),
      }),
      async run(caller, { service, limit, ...query }, signal) {
        const lease = await allowanceOf(caller.plugin).enter(signal);
        try {
          return await newest(logs.read(service, { ...query, lines: limit, follow: false, signal }));
        } finally {
          lease.leave();
        }
      },
    }),
    streamMethod({
      ...rules,
      name: "logs.follow",
      params: v.strictObject(filter),
      open: (_caller, { service, ...query }, signal) =>
        logs.read(service, {
          ...query,
          // From now on, where nothing is said of earlier lines.
          ...(query.since === undefined ? { lines: 0 } : {}),
          follow: true,
          signal,
        }),
    }),
  ];
}

// --- internal ---

const LINES_READ = 100;

interface Target {
  readonly service: string;
}

const moment = v.pipe(
  v.string(),
  v.maxLength(100),
  v.check((text) => isMoment(text), 'a time such as "2026-01-31T08:00:00Z", or how long ago: "10m"'),
);

const filter = {
  service: v.pipe(v.string(), v.maxLength(100)),
  since: v.optional(moment),
  search: v.optional(v.pipe(v.string(), v.maxLength(LIMITS.logSearchChars))),
  ignoreCase: v.optional(v.boolean()),
  level: v.optional(v.picklist(LOG_LEVELS)),
  stream: v.optional(v.picklist(["stdout", "stderr"])),
};

/** As many of the newest as fit into one answer. */
async function newest(lines: AsyncIterable<LogLine>): Promise<LogLine[]> {
  const kept: { readonly line: LogLine; readonly bytes: number }[] = [];
  let total = 0;
  let first = 0;
  for await (const line of lines) {
    const bytes = Buffer.byteLength(JSON.stringify(line)) + 1;
    kept.push({ line, bytes });
    total += bytes;
    for (; total > LIMITS.logLinesReadBytes && first < kept.length - 1; first++) {
      total -= kept[first]?.bytes ?? 0;
      // Let go of at once: there may be thousands of a megabyte.
      kept[first] = GONE;
    }
  }
  return kept.slice(first).map(({ line }) => line);
}

const GONE = { line: { at: "", level: "info", stream: "stdout", text: "", version: 0 }, bytes: 0 } as const;

function checkScope(caller: Caller, logs: ServiceLogReader, service: string): void {
  if (inScope(caller, "logs_read", service)) return;
  const open = caller.grants.get("logs_read")?.join(", ") || "none";
  throw outOfScope(
    caller,
    "logs_read",
    `the service ${quote(service)} is none of those whose logs it may read (${open})`,
    commandSafe(logs, service),
  );
}

/** A name that may stand in a command an operator pastes: one that exists and needs no quotes. */
function commandSafe(logs: ServiceLogReader, service: string): string | undefined {
  return /^\w[\w.-]*$/.test(service) && logs.isService(service) ? service : undefined;
}
