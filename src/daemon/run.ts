/**
 * The daemon's life: start in order, serve until a signal, stop in reverse. It knows the order and nothing else; what the
 * parts are is composed in compose.ts. Called by main.ts, which passes in who serves the API.
 */
import { mkdirSync, statSync } from "node:fs";
import { systemClock } from "../base/clock.ts";
import { diskFull } from "../base/disk-full.ts";
import { fail, isVoxError, messageOf, stackOf, systemCode } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import { makeLog, type Log } from "../base/log.ts";
import type { Environment } from "../base/paths.ts";
import { VERSION } from "../base/version.ts";
import { homeFolder } from "../platform/home-folder.ts";
import { openServiceManager } from "../platform/service-manager.ts";
import { withUmask } from "../platform/umask.ts";
import { compose, type Parts } from "./compose.ts";
import { unknownVariables } from "./config-environment.ts";
import { loadConfig, type Config, type ConfigFlags } from "./config.ts";
import { waitForStart } from "./next-start.ts";
import { openToGroup, prepareSocket } from "./listener.ts";
import { lockDataDir } from "./lock.ts";

/** Starts the API on the socket; `stop` ends it, giving requests so long. */
export type Serve = (parts: Parts, place: Place) => { readonly stop: (graceMs: number) => Promise<void> };

export interface Place {
  readonly socket: string;
  readonly dataDir: string;
  readonly log: Log;
}

export interface RunOptions {
  readonly flags: ConfigFlags;
  readonly environment: Environment;
  readonly serve: Serve;
}

/** Resolves when the daemon has stopped as it was asked to. Throws what kept it from starting. */
export async function runDaemon({ flags, environment, serve }: RunOptions): Promise<void> {
  const uid = process.getuid?.() ?? 0;
  const credentials = environment["CREDENTIALS_DIRECTORY"];
  const started = loadConfig(flags, environment, uid);
  let config = started;
  let redact = (text: string): string => text;
  const log = makeLog({
    level: () => config.log_level,
    format: config.log_format,
    clock: systemClock,
    // Whatever an error repeats: no secret reaches the log.
    write: (line) => process.stderr.write(redact(line)),
  });
  const notify = openServiceManager(environment["NOTIFY_SOCKET"]);
  await using stack = new AsyncDisposableStack();
  stack.defer(watchForBugs(log));
  for (const problem of unknownVariables(environment)) log.warn(problem);
  let running: Parts | undefined;
  // Before anything is open to the outside: a signal must never find its default in place.
  const signals = watchSignals(() => {
    notify("RELOADING=1", monotonicUsec());
    const next = reload(started, { flags, environment, uid, log });
    if (next !== undefined) {
      config = next;
      running?.configured();
      log.info("configuration reloaded", { file: config.file });
    }
    notify("READY=1");
  });
  stack.defer(signals.unwatch);

  try {
    makeDataDir(config.data_dir);
    const lock = withUmask(PRIVATE, () => lockDataDir(config.data_dir));
    stack.defer(() => lock.release());
    await prepareSocket(config.socket);
    const parts = withUmask(PRIVATE, () =>
      compose({
        config: () => config,
        log,
        clock: systemClock,
        credentials,
        environment,
        home: homeFolder(environment),
      }),
    );
    redact = parts.redact;
    stack.defer(() => parts.close());
    running = parts;
    await parts.start();
    const place = { socket: config.socket, dataDir: config.data_dir, log };
    const server = openToGroup(config.socket, () => serve(parts, place));
    stack.defer(() => server.stop(LIMITS.lastAnswersMs));
    stack.defer(() => parts.drain());
  } catch (error) {
    throw refusedBySystem(error);
  }
  notify("READY=1", `STATUS=serving ${config.socket}`);
  log.info("ready", { version: VERSION, pid: process.pid, dataDir: config.data_dir, socket: config.socket });

  const signal = await signals.stop;
  notify("STOPPING=1", "STATUS=stopping");
  log.info("stopping", { signal });
}

// --- internal ---

/** Also in a data directory that others may enter, what the daemon writes is its user's alone. */
const PRIVATE = 0o077;

/** What the system forbids while the daemon takes its places is the operator's to put right, not a bug. */
function refusedBySystem(error: unknown): unknown {
  const known = diskFull(error);
  if (isVoxError(known) || !/^E[A-Z]+$/.test(systemCode(known) ?? "")) return known;
  return fail("state.unusable", `the daemon can't take its places: ${messageOf(error)}`, {
    hint: "give its user the right to them, or choose others with --data-dir and --socket",
    cause: error,
  });
}

/** Throws `state.unusable` too where everybody may write: who can replace the daemon's files is the daemon. */
function makeDataDir(path: string): void {
  let mode: number;
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
    ({ mode } = statSync(path));
  } catch (error) {
    throw fail("state.unusable", `the data directory ${path} can't be made: ${messageOf(error)}`, {
      hint: "choose another --data-dir, or make it for this user",
      cause: error,
    });
  }
  if ((mode & 0o002) !== 0)
    throw fail("state.unusable", `everybody may write to the data directory ${path}`, {
      hint: `choose another --data-dir, or take the right away with: chmod o-w ${path}`,
    });
}

interface ReloadContext {
  readonly flags: ConfigFlags;
  readonly environment: Environment;
  readonly uid: number;
  readonly log: Log;
}

/** A configuration with an error is refused whole: the old one stays. Places and providers count from the next start on. */
function reload(started: Config, { flags, environment, uid, log }: ReloadContext): Config | undefined {
  try {
    const next = loadConfig(flags, environment, uid);
    const keys = waitForStart(started, next);
    if (keys.length > 0) log.warn("some changes count with the daemon's next start only", { keys });
    return { ...next, data_dir: started.data_dir, socket: started.socket };
  } catch (error) {
    log.error("the new configuration was refused, the old one stays", { error: messageOf(error) });
    return undefined;
  }
}

/** What systemd wants beside RELOADING=1, to tell this reload from an earlier one. */
function monotonicUsec(): string {
  return `MONOTONIC_USEC=${process.hrtime.bigint() / 1000n}`;
}

/** The first signal that asks for an end resolves `stop`; a second ends the process at once. */
function watchSignals(onReload: () => void): {
  readonly stop: Promise<NodeJS.Signals>;
  readonly unwatch: () => void;
} {
  const { promise: stop, resolve } = Promise.withResolvers<NodeJS.Signals>();
  const ends = ["SIGTERM", "SIGINT"] as const;
  let asked = false;
  const end = (signal: NodeJS.Signals): void => {
    if (asked) process.kill(process.pid, "SIGKILL");
    asked = true;
    resolve(signal);
  };
  for (const signal of ends) process.on(signal, end);
  process.on("SIGHUP", onReload);
  return {
    stop,
    unwatch() {
      for (const signal of ends) process.off(signal, end);
      process.off("SIGHUP", onReload);
    },
  };
}

/** A bug in one request or stream is no reason to stop watching over everybody's services: it is logged, with its stack. */
function watchForBugs(log: Log): () => void {
  const report = (error: unknown): void => {
    log.error("a bug: an error that nobody handled", {
      error: messageOf(error),
      stack: stackOf(error),
    });
  };
  process.on("uncaughtException", report);
  process.on("unhandledRejection", report);
  return () => {
    process.off("uncaughtException", report);
    process.off("unhandledRejection", report);
  };
}
