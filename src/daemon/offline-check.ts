/**
 * The bundler, the rooms and the made-up events where no daemon is asked, for `plugin check`: code is confined like the daemon's, as whoever
 * runs it. The configuration is read only where this machine can't confine, to see whether that is allowed. Called by api/offline.ts.
 */
import { systemClock, timestamp } from "../base/clock.ts";
import { newId } from "../base/ids.ts";
import type { Environment } from "../base/paths.ts";
import { sampleEvent } from "../engine/events/samples.ts";
import { makePorts } from "../engine/ports.ts";
import { LOCAL } from "../engine/providers/providers.ts";
import { makeBundler } from "../host/bundle/bundle-plugin.ts";
import type { CheckPowers } from "../host/check/check-plugin.ts";
import { confineBundler, confinePlugins } from "../host/confine-or-not.ts";
import { executableEnvironment } from "../host/runtimes/exec/environment.ts";
import { openJsWorkerRoom } from "../host/runtimes/js-worker/room.ts";
import { openProcessRoom } from "../host/runtimes/process/room.ts";
import type { OpenRoom } from "../host/runtimes/runtime.ts";
import { makeStartConfined } from "../platform/confine/confined-process.ts";
import { confinementReport } from "../platform/confine/report.ts";
import { areIdsMapped } from "../platform/id-maps.ts";
import { startJsWorker } from "../workers.ts";
import { DEFAULT_UID_RANGE } from "./config-values.ts";
import { loadConfig, type ConfigFlags } from "./config.ts";
import { bundlerStart, canChangeUid, factsOf } from "./confinement.ts";

/** What is opened throws `config.*` too, where the configuration has to be asked and can't be. */
export function makeOfflineCheck(flags: ConfigFlags, environment: Environment, uid: number): CheckPowers {
  const report = confinementReport();
  const clock = systemClock;
  const start = makeStartConfined({ clock });
  const isAllowed = () => loadConfig(flags, environment, uid).plugins.allow_unconfined;
  const facts = () => factsOf(report, report.ok ? false : isAllowed());
  const [first = 0, last = 0] = DEFAULT_UID_RANGE;
  const user = (id: number) => (canChangeUid(report) && areIdsMapped(first, last) ? id : undefined);
  const ports = makePorts();
  const inProcess = openProcessRoom({
    start,
    clock,
    // The daemon gives its plugins the lowest ids first.
    uidFor: () => user(last),
    confined: () => confinePlugins(facts()),
  });
  return {
    bundle: makeBundler({
      start: bundlerStart(start),
      clock,
      uid: () => user(first),
      confined: () => confineBundler(facts()),
    }),
    openRooms: {
      "js-worker": workerRoom,
      "js-process": inProcess,
      "wasm-process": inProcess,
    },
    canConfine: report.ok,
    sample: (hook) => ({ ...sampleEvent(hook, { id: newId(), at: timestamp(clock.now()) }) }),
    environment: executableEnvironment(environment),
    freePort: () => ports.take(LOCAL, new Set()),
    mark: () => newId().slice(-MARK_CHARS),
    clock,
  };
}

// --- internal ---

const MARK_CHARS = 8;

/** Its engine is a file of its own, which only JavaScript needs. */
const workerRoom: OpenRoom = async (guest, door) => {
  const { loadGuestModule: guestModule } = await import("../host/runtimes/js-worker/guest-module.ts");
  return openJsWorkerRoom({ startWorker: startJsWorker, guestModule, clock: systemClock })(guest, door);
};
