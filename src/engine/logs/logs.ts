/**
 * The logs of all services: every instance's output is taken into the log of its service from its start, whoever reads it or not,
 * over restarts of the instance and of the daemon. One reading interface over all providers. Composed by the daemon; told by
 * deploys, services and reconcile.ts which instances there are.
 */
import { mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "../../base/clock.ts";
import { fail } from "../../base/errors.ts";
import type { Log, LogLevel } from "../../base/log.ts";
import { parseMoment } from "../../base/moment.ts";
import { printable, quote } from "../../base/text.ts";
import type { OutputStream } from "../providers/provider.ts";
import type { Place, Providers } from "../providers/providers.ts";
import { makeSerial } from "../serial.ts";
import { startCollector, type Collector } from "./collector.ts";
import { readStore } from "./read.ts";
import { openStore, type LogStore } from "./store.ts";
import type { ServiceLogLine } from "./stored-line.ts";

export interface ServiceLogs {
  /** Takes the instance's output from now on; one whose output is taken already is looked at at once. */
  watch(target: LogTarget): void;
  /** Resolves when what it has written by now was taken, or after `LIMITS.logSettleMs`. */
  settled(instance: string): Promise<void>;
  /** The instance is gone: takes the rest, and looks for it no more. */
  leave(instance: string): Promise<void>;
  /** The instance is made again from nothing: what it writes is all new. */
  renew(target: LogTarget): Promise<void>;
  /** The last lines of one version, fit for a terminal. Never fails. */
  lastLines(target: LogTarget, count: number): Promise<string[]>;
  /** Throws `usage.invalid` for a time that is none. */
  read(service: string, query: LogQuery): AsyncGenerator<ServiceLogLine>;
  remove(service: string): Promise<void>;
  /** Removes what a crash left of the logs of services that are gone. */
  sweep(): Promise<void>;
  /** Stops taking. The next daemon goes on where this one stopped. */
  close(): Promise<void>;
}

export interface LogTarget extends Place {
  readonly instance: string;
  readonly service: string;
  readonly version: number;
}

/** What is absent is not asked for. */
export interface LogQuery {
  /** RFC 3339, or how long ago: `10m`. */
  readonly since?: string | undefined;
  readonly until?: string | undefined;
  /** This level and what is more serious. */
  readonly level?: LogLevel | undefined;
  /** Plain text that stands in the line. */
  readonly search?: string | undefined;
  readonly ignoreCase?: boolean | undefined;
  readonly stream?: OutputStream | undefined;
  /** The last so many. */
  readonly lines?: number | undefined;
  /** Then what comes, from every version, until the service is removed. */
  readonly follow: boolean;
  readonly signal: AbortSignal;
}

export interface LogsOptions {
  /** The folder `logs` of the data dir; made when needed. */
  readonly root: string;
  readonly providers: Pick<Providers, "find">;
  readonly isService: (name: string) => boolean;
  /** Of one service's log, on disk. */
  readonly maxBytes: () => number;
  /** Takes the values of a service's secrets out of what it wrote. */
  readonly redact: (service: string, text: string) => string;
  readonly clock: Clock;
  readonly log: Log;
}

export function makeLogs(options: LogsOptions): ServiceLogs {
  const { root, providers, isService, maxBytes, redact, clock, log } = options;
  const stores = new Map<string, Promise<LogStore>>();
  const collectors = new Map<string, Collector & { readonly service: string }>();
  /** Of all who read. */
  const turn = makeSerial();
  let closed = false;

  function storeOf(service: string): Promise<LogStore> {
    const known = stores.get(service);
    if (known !== undefined) return known;
    const opening = openStore({
      dir: join(root, service),
      maxBytes,
      redact: (text) => redact(service, text),
    });
    stores.set(service, opening);
    // What could not be opened now may be opened later.
    opening.catch(() => stores.delete(service));
    return opening;
  }

  async function leave(instance: string): Promise<void> {
    const collector = collectors.get(instance);
    await collector?.settled();
    await collector?.stop();
    if (collectors.get(instance) === collector) collectors.delete(instance);
  }

  function watch({ instance, service, version, ...place }: LogTarget): void {
    const provider = providers.find(place);
    if (closed || provider === undefined) return;
    const known = collectors.get(instance);
    if (known !== undefined) return known.wake();
    const store = (): Promise<LogStore> => storeOf(service);
    const collector = startCollector({ provider, instance, version, store, clock, log });
    collectors.set(instance, { ...collector, service });
  }

  async function* read(service: string, query: LogQuery): AsyncGenerator<ServiceLogLine> {
    const { since, until, ...rest } = query;
    const now = clock.now();
    const wanted = { ...rest, sinceMs: momentOf(since, now), untilMs: momentOf(until, now) };
    for await (const line of readStore(await storeOf(service), wanted, clock, turn))
      yield { ...line, text: redact(service, line.text) };
  }

  async function remove(service: string): Promise<void> {
    const its = [...collectors].filter(([, collector]) => collector.service === service);
    await Promise.all(its.map(([instance]) => leave(instance)));
    const store = await stores.get(service)?.catch(() => undefined);
    stores.delete(service);
    await store?.close();
    await rm(join(root, service), { recursive: true, force: true });
  }

  return {
    watch,
    settled: async (instance) => collectors.get(instance)?.settled(),
    leave,
    async renew(target) {
      await leave(target.instance);
      (await storeOf(target.service)).forget(target.version);
    },
    async lastLines({ service, version, instance }, count) {
      const lines: string[] = [];
      try {
        await collectors.get(instance)?.settled();
        const signal = new AbortController().signal;
        for await (const line of readStore(
          await storeOf(service),
          { version, lines: count, follow: false, signal },
          clock,
          turn,
        ))
          lines.push(printable(redact(service, line.text), LAST_LINE_CHARS));
      } catch {
        // What came until then is better than nothing.
      }
      return lines;
    },
    read,
    remove,
    async sweep() {
      await mkdir(root, { recursive: true, mode: 0o700 });
      for (const name of await readdir(root)) if (!isService(name)) await remove(name);
    },
    async close() {
      closed = true;
      await Promise.all(Array.from(collectors.values(), (collector) => collector.stop()));
      for (const store of stores.values()) await (await store.catch(() => undefined))?.close();
    },
  };
}

// --- internal ---

const LAST_LINE_CHARS = 500;

function momentOf(text: string | undefined, nowMs: number): number | undefined {
  if (text === undefined) return undefined;
  const ms = parseMoment(text, nowMs);
  if (ms !== undefined) return ms;
  throw fail("usage.invalid", `wanted a time such as 2026-01-31T08:00:00Z or 10m, found ${quote(text)}`);
}
