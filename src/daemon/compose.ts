/**
 * Where the engine and the plugin host meet, on one screen: what the one needs of the other, and in which order they start and
 * end. It wires and decides nothing. Called by run.ts; the parts it returns are what the API's operations speak to.
 */
import { timestamp } from "../base/clock.ts";
import { newId } from "../base/ids.ts";
import { LIMITS } from "../base/limits.ts";
import { databaseFile } from "../base/paths.ts";
import { parseEvent } from "../engine/events/parse-event.ts";
import { sampleEvent } from "../engine/events/samples.ts";
import { makeNotify } from "../engine/notify/notify.ts";
import { makeHttpClient } from "../platform/http/http-client.ts";
import { systemResolver } from "../platform/http/resolve.ts";
import { openDatabase } from "../state/database.ts";
import { makeEventRows } from "../state/events.ts";
import { composeEngine, type Engine } from "./compose-engine.ts";
import { composeHost, type Host } from "./compose-host.ts";
import { examine, type Examination } from "./doctor.ts";
import { makeUploads, type Uploads } from "./uploads.ts";
import type { World } from "./world.ts";

export interface Parts
  extends
    Pick<Engine, "deploys" | "services" | "environment" | "registries" | "events">,
    Pick<Host, "plugins" | "dispatcher" | "feed" | "confinement" | "configured"> {
  readonly uploads: Uploads;
  /** What `voxeltron doctor` finds, as this daemon. */
  readonly examine: () => Promise<Examination>;
  /** Repairs what a crash left, then begins to deliver. */
  start(): Promise<void>;
  /** Begins nothing more and ends what is under way, so that whoever waits for it gets an answer. */
  drain(): Promise<void>;
  /** Lets go of everything; instances go on. After `drain`. */
  close(): void;
}

export function compose(world: World): Parts {
  const { config, clock, log } = world;
  const dataDir = config().data_dir;
  const db = openDatabase(databaseFile(dataDir));
  const eventRows = makeEventRows(db);
  const uploads = makeUploads(dataDir, clock);
  const http = makeHttpClient({ resolve: systemResolver, clock });
  const { gates, ...host } = composeHost(world, db, {
    http,
    channels: makeNotify({ channels: () => config().notify, http, clock, log }),
    serviceLogs: {
      isService: (name) => engine.services.has(name),
      read: (name, query) => engine.services.logs(name, query),
    },
    calledEvent(hook, given) {
      const stamp = { id: newId(), at: timestamp(clock.now()) };
      return given === undefined ? sampleEvent(hook, stamp) : parseEvent(hook, given, stamp);
    },
    eventRows,
  });
  const { edges, logs, processes, containers, ...engine } = composeEngine(world, db, {
    eventRows,
    gates,
    takeUpload: async (id) => uploads.takeApp(id),
  });

  return {
    ...engine,
    ...host,
    uploads,
    examine: () => examine({ plugins: config().plugins, bundle: host.confinement.bundle }),
    async start() {
      await host.plugins.sweep();
      await processes.supervise();
      engine.deploys.recover();
      engine.events.subscribe(() => host.dispatcher.wake());
      host.dispatcher.start();
      host.plugins.start();
    },
    async drain() {
      await engine.deploys.close();
      await logs.close();
      await host.dispatcher.stop(LIMITS.shutdownMs);
      await host.plugins.close();
    },
    close() {
      edges.closeAll();
      processes.close();
      containers.close();
      uploads.close();
      db.close();
    },
  };
}
