/** Joins the parts of the daemon to the API's server. Handed by main.ts to daemon/run.ts, which calls it. */
import { systemClock, timestamp } from "../base/clock.ts";
import type { Serve } from "../daemon/run.ts";
import { makeHandlers } from "./handlers.ts";
import { serveApi } from "./server.ts";

export const serve: Serve = (parts, { socket, dataDir, log }) =>
  serveApi({
    socket,
    handlers: makeHandlers(parts, { dataDir, startedAt: timestamp(systemClock.now()) }),
    upload: (kind, body) => parts.uploads.receive(kind, body),
    redact: parts.redact,
    clock: systemClock,
    log,
  });
