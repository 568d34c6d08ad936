/**
 * What an operator does with services that are deployed: look, read logs, stop, start, remove, run a command inside. One change of
 * a service at a time. Called by the API server.
 */
import { fail, messageOf } from "../../base/errors.ts";
import { LIMITS } from "../../base/limits.ts";
import { quote } from "../../base/text.ts";
import type { ServiceRow } from "../../state/services.ts";
import { bounded } from "../bounded.ts";
import { pruneBuilds } from "../builds.ts";
import { openAddress } from "../edge/open-address.ts";
import { findLive, type Live } from "../live.ts";
import type { LogQuery } from "../logs/logs.ts";
import type { ServiceLogLine } from "../logs/stored-line.ts";
import { workMs, type ExecOptions, type Provider } from "../providers/provider.ts";
import { placeOf, placeText } from "../providers/providers.ts";
import { revive } from "../revive.ts";
import type { ServiceDeps } from "../service-deps.ts";
import { statusOf, viewDetails, viewService, type ServiceDetails, type ServiceView } from "./service-view.ts";

/** All that take a name but `has` throw `service.not_found`; those that need an instance `instance.not_found` where no version ever went live. */
export interface Services {
  has(name: string): boolean;
  list(): Promise<ServiceView[]>;
  info(name: string): Promise<ServiceDetails>;
  /** What its versions wrote, the live one and those before it, as far as it is kept; then what comes, from whichever is live. */
  logs(name: string, query: LogQuery): AsyncGenerator<ServiceLogLine>;
  stop(name: string): Promise<ServiceView>;
  start(name: string, signal: AbortSignal): Promise<ServiceView>;
  /**
   * Ends the instance and forgets the service with its versions, deploys, environment, secrets and log. Volumes stay. `abandon`: also
   * where its server can't be asked, or is in the configuration no more; what runs there stays.
   */
  remove(name: string, abandon?: boolean): Promise<void>;
  /** The command's exit code. Throws `service.stopped` where nothing runs that it could run in. */
  exec(name: string, options: ExecOptions): Promise<number>;
}

export function makeServices(deps: ServiceDeps): Services {
  const { state, edges, busy } = deps;

  function need(name: string): ServiceRow {
    const row = state.services.find(name);
    if (row === undefined) throw fail("service.not_found", `no service is called ${quote(name)}`);
    return row;
  }

  function needLive(name: string): { readonly live: Live; readonly provider: Provider } {
    const live = findLive(state, need(name));
    if (live === undefined)
      throw fail("instance.not_found", `no version of ${name} ever went live`, { hint: "deploy it first" });
    return { live, provider: deps.providers.of(live.spec) };
  }

  return {
    has: (name) => state.services.find(name) !== undefined,
    list: () => Promise.all(state.services.list().map((row) => viewService(row, deps))),
    info: async (name) => viewDetails(need(name), deps),
    logs(name, query) {
      need(name);
      return deps.logs.read(name, query);
    },
    async stop(name) {
      needLive(name);
      using hold = await busy.hold(name, "stop");
      const { live, provider } = needLive(name);
      hold.protect(live.row.instance);
      state.services.setDesired(name, "stopped");
      edges.close(name);
      deps.routes.follow(name);
      await stopInstance(provider, live, deps);
      await deps.logs.settled(live.row.instance);
      return viewService(need(name), deps);
    },
    async start(name, signal) {
      needLive(name);
      using hold = await busy.hold(name, "start");
      const { live } = needLive(name);
      hold.protect(live.row.instance);
      openAddress(live, edges);
      try {
        await revive(live, deps, signal);
      } catch (error) {
        if (need(name).desired === "stopped") edges.close(name);
        throw error;
      }
      state.services.setDesired(name, "running");
      deps.routes.follow(name);
      return viewService(need(name), deps);
    },
    async remove(name, abandon = false) {
      need(name);
      using _hold = await busy.hold(name, "removal");
      const live = findLive(state, need(name));
      if (live !== undefined && !abandon) deps.providers.of(live.spec);
      // A crash from here on leaves a stopped service, which can be removed again.
      state.services.setDesired(name, "stopped");
      edges.close(name);
      deps.routes.follow(name);
      if (live !== undefined && abandon) await abandonInstance(live, deps);
      else if (live !== undefined) await destroyInstance(live, deps);
      const builds = pruneBuilds(name, { before: state.versions.list(name), kept: [] }, deps);
      await (abandon ? builds.catch(() => {}) : builds);
      await deps.folders.prune(name, new Set());
      await deps.logs.remove(name);
      state.transaction(() => {
        state.versions.removeAll(name);
        state.deploys.removeAll(name);
        state.env.removeAll(name);
        state.secrets.removeAll(name);
        state.services.remove(name);
      });
      deps.routes.follow(name);
    },
    async exec(name, options) {
      const { live, provider } = needLive(name);
      const status = await statusOf(live, deps);
      if (status !== undefined && status.state !== "running")
        throw fail("service.stopped", `${name} is not running: it is ${status.state}`, {
          hint: `start it with: voxeltron start ${name}`,
        });
      return provider.exec(live.row.instance, options);
    },
  };
}

// --- internal ---

function stopInstance(provider: Provider, live: Live, { clock }: ServiceDeps): Promise<void> {
  return bounded(provider.stop(live.row.instance, LIMITS.stopGraceMs), {
    clock,
    timeoutMs: workMs(provider, "stop", LIMITS.stopGraceMs + LIMITS.providerDestroyMs),
    who: placeText(placeOf(provider)),
  });
}

/** As far as its server lets us. */
async function abandonInstance(live: Live, deps: ServiceDeps): Promise<void> {
  try {
    await destroyInstance(live, deps);
  } catch (error) {
    const { instance, service } = live.row;
    const { server } = live.spec;
    deps.log.warn("a service was removed, and its instance left where it is", {
      service,
      instance,
      server,
      error: messageOf(error),
    });
    await deps.logs.leave(instance);
  }
}

async function destroyInstance(live: Live, deps: ServiceDeps): Promise<void> {
  const provider = deps.providers.of(live.spec);
  await stopInstance(provider, live, deps);
  await bounded(provider.destroy(live.row.instance), {
    clock: deps.clock,
    timeoutMs: workMs(provider, "destroy", LIMITS.providerDestroyMs),
    who: placeText(placeOf(provider)),
  });
  await deps.logs.leave(live.row.instance);
}
