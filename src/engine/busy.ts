/**
 * One change of a service at a time: a deploy, a stop, a start, a removal or a repair; and one of a workspace. Whoever makes the
 * change also says which instances nobody may sweep away meanwhile. In memory only: what a crash left unfinished is found in the
 * deploys' journal, and in the workspaces' phases. Held by the deploys, the services, the workspaces and the repairs.
 */
import { fail, type VoxError } from "../base/errors.ts";

export interface Busy<W extends string = Work> {
  /** Waits for a repair, which gives way, and throws `deploy.in_progress`, `service.busy` or `workspace.busy` for anything else. */
  hold(service: string, work: W): Promise<Hold>;
  /** Nothing where anybody does anything with the service. */
  holdForRepair(service: string): Hold | undefined;
  isDeploying(service: string): boolean;
  isProtected(instance: string): boolean;
}

export type Work = "deploy" | "stop" | "start" | "removal";

export interface Hold extends Disposable {
  /** Aborted when somebody waits for this repair to give way. */
  readonly wanted: AbortSignal;
  protect(instance: string): void;
  /** The instance is no longer wanted: whoever finds it may remove it. */
  expose(instance: string): void;
}

export function makeBusy(): Busy {
  return makeBusyWith(refusal);
}

/** `refuse`: the error for whoever has to come again when the work is done. */
export function makeBusyWith<W extends string>(refuse: (name: string, work: W) => VoxError): Busy<W> {
  const held = new Map<string, Holder<W>>();

  function take(service: string, work: W | "repair"): Hold {
    const { promise: released, resolve } = Promise.withResolvers<void>();
    const holder = { work, released, wanted: new AbortController(), instances: new Set<string>() };
    held.set(service, holder);
    return {
      wanted: holder.wanted.signal,
      protect: (instance) => void holder.instances.add(instance),
      expose: (instance) => void holder.instances.delete(instance),
      [Symbol.dispose]() {
        held.delete(service);
        resolve();
      },
    };
  }

  return {
    async hold(service, work) {
      for (let other = held.get(service); other !== undefined; other = held.get(service)) {
        if (other.work !== "repair") throw refuse(service, other.work);
        other.wanted.abort(refuse(service, work));
        await other.released;
      }
      return take(service, work);
    },
    holdForRepair: (service) => (held.has(service) ? undefined : take(service, "repair")),
    isDeploying: (service) => held.get(service)?.work === "deploy",
    isProtected: (instance) => [...held.values()].some(({ instances }) => instances.has(instance)),
  };
}

// --- internal ---

interface Holder<W extends string> {
  readonly work: W | "repair";
  readonly released: Promise<void>;
  readonly wanted: AbortController;
  readonly instances: Set<string>;
}

function refusal(service: string, work: Work): VoxError {
  if (work !== "deploy") return fail("service.busy", `a ${work} of ${service} is in progress`);
  return fail("deploy.in_progress", `a deploy of ${service} is in progress`, {
    hint: `wait until it is done, or stop it with: voxeltron cancel ${service}`,
  });
}
