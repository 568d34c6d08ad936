/**
 * The bundler and the module room where no daemon is asked, for `plugin check`: confined like the daemon's, as whoever runs it. The
 * configuration is read only where this machine can't confine, to see whether that is allowed. Called by api/offline.ts.
 */
import { systemClock } from "../base/clock.ts";
import type { Environment } from "../base/paths.ts";
import { makeBundler } from "../host/bundle/bundle-plugin.ts";
import { confineBundler, confinePlugins } from "../host/confine-or-not.ts";
import type { CheckDeps } from "../host/install/check-files.ts";
import { openProcessRoom } from "../host/runtimes/process/room.ts";
import { makeStartConfined } from "../platform/confine/confined-process.ts";
import { confinementReport } from "../platform/confine/report.ts";
import { areIdsMapped } from "../platform/id-maps.ts";
import { DEFAULT_UID_RANGE } from "./config-values.ts";
import { loadConfig, type ConfigFlags } from "./config.ts";
import { bundlerStart, canChangeUid, factsOf } from "./confinement.ts";

/** Both throw `config.*` too, where the configuration has to be asked and can't be. */
export function makeOfflineCheck(flags: ConfigFlags, environment: Environment, uid: number): CheckDeps {
  const report = confinementReport();
  const start = makeStartConfined({ clock: systemClock });
  const isAllowed = () => loadConfig(flags, environment, uid).plugins.allow_unconfined;
  const facts = () => factsOf(report, report.ok ? false : isAllowed());
  const [first = 0, last = 0] = DEFAULT_UID_RANGE;
  const user = (id: number) => (canChangeUid(report) && areIdsMapped(first, last) ? id : undefined);
  return {
    bundle: makeBundler({
      start: bundlerStart(start),
      clock: systemClock,
      uid: () => user(first),
      confined: () => confineBundler(facts()),
    }),
    openModule: openProcessRoom({
      start,
      clock: systemClock,
      // The daemon gives its plugins the lowest ids first.
      uidFor: () => user(last),
      confined: () => confinePlugins(facts()),
    }),
  };
}
