/**
 * All instances of this data dir, each loaded once, and the regular look at them. A daemon that stops takes none of them
 * along; the next one finds them on disk. Called by provider.ts.
 */
import type { Clock } from "../../../base/clock.ts";
import { messageOf } from "../../../base/errors.ts";
import { LIMITS } from "../../../base/limits.ts";
import type { Log } from "../../../base/log.ts";
import type { InstanceFiles } from "./instance-files.ts";
import { makeInstance, type Instance } from "./instance.ts";
import type { Launch } from "./launch.ts";
import { makeLogStore } from "./log-store.ts";
import type { SecretsOf } from "../provider.ts";
import type { ProcessTable } from "./process-table.ts";

export interface Supervisor {
  /** The instance, or nothing where there is none on disk. */
  find(id: string): Promise<Instance | undefined>;
  /** Lets go of it before its folder is removed or made anew. */
  forget(id: string): void;
  /** Finds what earlier daemons started, starts again what should run, and begins to look. Once. */
  supervise(): Promise<void>;
  close(): void;
}

export interface SupervisorParts {
  readonly files: InstanceFiles;
  readonly table: ProcessTable;
  readonly launch: Launch;
  readonly secretsOf: SecretsOf;
  readonly clock: Clock;
  readonly log: Log;
}

export function makeSupervisor(parts: SupervisorParts): Supervisor {
  const { files, clock, log } = parts;
  const loaded = new Map<string, Promise<Instance | undefined>>();
  let cancelLook = (): void => {};
  let closed = false;

  async function load(id: string): Promise<Instance | undefined> {
    const [spec, state] = [await files.readSpec(id), await files.readState(id)];
    if (spec === undefined || state === undefined) return undefined;
    return makeInstance(spec, state, { ...parts, logs: makeLogStore(files.logs(id)) });
  }

  async function find(id: string): Promise<Instance | undefined> {
    const known = loaded.get(id) ?? load(id);
    loaded.set(id, known);
    let instance: Instance | undefined;
    try {
      instance = await known;
    } finally {
      if (instance === undefined && loaded.get(id) === known) loaded.delete(id);
    }
    return instance;
  }

  async function each(what: string, work: (instance: Instance) => Promise<void>): Promise<void> {
    for (const id of loaded.keys()) {
      try {
        const instance = await find(id);
        if (instance !== undefined) await work(instance);
      } catch (error) {
        log.warn(`${what} failed`, { instance: id, error: messageOf(error) });
      }
    }
  }

  function lookLater(): void {
    if (closed) return;
    cancelLook = clock.after(LIMITS.instancePollMs, () => {
      void each("watching an instance", (instance) => instance.tend()).then(lookLater);
    });
  }

  return {
    find,
    forget(id) {
      release(loaded.get(id));
      loaded.delete(id);
    },
    async supervise() {
      for (const id of await files.ids()) await find(id);
      await each("taking over an instance", (instance) => instance.adopt());
      lookLater();
    },
    close() {
      closed = true;
      cancelLook();
      for (const instance of loaded.values()) release(instance);
    },
  };
}

// --- internal ---

function release(loading: Promise<Instance | undefined> | undefined): void {
  // One that could not be loaded was told to whoever asked for it.
  loading?.then((instance) => instance?.release()).catch(() => {});
}
