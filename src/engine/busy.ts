/**
 * One change of a service at a time: a deploy, a stop, a start, a removal or a repair. Whoever makes the change also says which
 * instances nobody may sweep away meanwhile. In memory only: what a crash left unfinished is found in the deploys' journal.
 * Held by the deploys, the services and the repairs.
 */
import { fail, type VoxError } from "../base/errors.ts";

export interface Busy {
  /** Waits for a repair, which gives way, and throws `deploy.in_progress` or `service.busy` for anything else. */
  hold(service: string, work: Work): Promise<Hold>;
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
  const held = new Map<string, Holder>();

  function take(service: string, work: Holder["work"]): Hold {
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
        if (other.work !== "repair") throw refusal(service, other.work);
        other.wanted.abort(fail("service.busy", `a ${work} of ${service} goes first`));
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

interface Holder {
  readonly work: Work | "repair";
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
