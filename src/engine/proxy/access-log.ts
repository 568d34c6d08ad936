/**
 * One line for each request: who asked for what, who answered and how long it took. Never a query, which may hold secrets. In the
 * daemon's log at level debug, and in a file of its own where the configuration names one. Composed by proxy.ts.
 */
import { timestamp, type Clock } from "../../base/clock.ts";
import type { Log } from "../../base/log.ts";
import type { AccessFile } from "./access-file.ts";

export interface AccessLog {
  request(entry: AccessEntry): void;
}

/** A type, not an interface: the log takes whatever has names. */
export type AccessEntry = {
  readonly remote: string;
  readonly protocol: "HTTP/1.0" | "HTTP/1.1" | "HTTP/2" | "WebSocket";
  readonly isSecure: boolean;
  readonly method: string;
  readonly host: string;
  readonly path: string;
  /** 0: the client was gone before there was one. */
  readonly status: number;
  readonly service: string | undefined;
  /** Of the bodies. */
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly durationMs: number;
  /** Why the proxy answered by itself, or the answer broke off. */
  readonly problem: string | undefined;
};

/** `file` gets JSON, a line a request. */
export function makeAccessLog(
  log: Log,
  clock: Clock,
  file: Pick<AccessFile, "isWanted" | "write">,
): AccessLog {
  return {
    request(entry) {
      log.debug("request", entry);
      if (file.isWanted()) file.write(`${JSON.stringify({ at: timestamp(clock.now()), ...entry })}\n`);
    },
  };
}
