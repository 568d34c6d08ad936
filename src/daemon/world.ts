/**
 * What a running daemon is given from outside, besides its files. Read by compose.ts and its parts; run.ts fills it in, tests and
 * benchmarks as they need it.
 */
import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import type { Environment } from "../base/paths.ts";
import type { Config } from "./config.ts";

export interface World {
  /** Asked each time, so that a reload counts. */
  readonly config: () => Config;
  readonly log: Log;
  readonly clock: Clock;
  /** The folder of what the service manager hands in (`$CREDENTIALS_DIRECTORY`). */
  readonly credentials?: string | undefined;
  /** The daemon's own. Executables are given some of it. */
  readonly environment?: Environment | undefined;
  /** Of the daemon's user. Absent: there is none, and nothing in it is looked at. */
  readonly home?: string | undefined;
}
