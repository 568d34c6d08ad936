/**
 * The `process` provider: an instance is a copy of an uploaded folder (of a workspace: a folder of its own) and the process that
 * runs in it, supervised by the daemon and outliving it. It runs with the daemon's user and sees the host's files: no isolation is claimed.
 * Composed by the daemon, which calls `supervise` at its start and `close` at its end; called by the engine's deploys.
 */
import { stat } from "node:fs/promises";
import type { Clock } from "../../../base/clock.ts";
import { fail } from "../../../base/errors.ts";
import type { Log } from "../../../base/log.ts";
import { quote } from "../../../base/text.ts";
import { LOCAL } from "../providers.ts";
import { noSecrets, type Provider, type SecretsOf } from "../provider.ts";
import { checkProcessSpec } from "./check.ts";
import { execBeside } from "./exec.ts";
import { folderDigest } from "./folder-digest.ts";
import { makeInstanceFiles } from "./instance-files.ts";
import type { Instance } from "./instance.ts";
import { killInstance } from "./kill.ts";
import { launchDetached, type Launch } from "./launch.ts";
import { readPageBytes } from "../../../platform/libc.ts";
import { makeProcessTable, type ProcessTable } from "./process-table.ts";
import { makeProcessUsages } from "./process-usage.ts";
import { readInstanceLogs } from "./read-logs.ts";
import { planRun } from "./run-plan.ts";
import { makeSupervisor } from "./supervisor.ts";

export interface ProcessProvider extends Provider {
  /** Takes over what earlier daemons started, starts again what should run, and restarts what crashes from now on. */
  supervise(): Promise<void>;
  /** Stops watching. The instances go on. */
  close(): void;
}

export interface ProcessProviderOptions {
  /** The folder `instances` of the data dir; made when needed. */
  readonly root: string;
  /** Asked at each start: a changed secret counts from the next one. */
  readonly secretsOf?: SecretsOf;
  readonly clock: Clock;
  readonly log: Log;
  readonly table?: ProcessTable;
  readonly launch?: Launch;
}

/**
 * @example
 * const provider = makeProcessProvider({ root: join(dataDir, "instances"), clock: systemClock, log });
 * await provider.supervise();
 */
export function makeProcessProvider(options: ProcessProviderOptions): ProcessProvider {
  const { root, secretsOf = noSecrets, clock, log } = options;
  const { table = makeProcessTable(), launch = launchDetached } = options;
  const files = makeInstanceFiles(root);
  let pageBytes: number | undefined;
  const usages = makeProcessUsages(clock, () => (pageBytes ??= readPageBytes()));
  const supervisor = makeSupervisor({ files, table, launch, secretsOf, clock, log });

  async function existing(id: string): Promise<Instance> {
    const instance = await supervisor.find(id);
    if (instance === undefined) throw fail("instance.not_found", `there is no instance ${quote(id)}`);
    return instance;
  }

  async function destroy(id: string): Promise<void> {
    const instance = await supervisor.find(id);
    if (instance !== undefined) await instance.kill();
    else await killInstance(table, clock, { id, folder: files.app(id) });
    supervisor.forget(id);
    await files.remove(id);
  }

  return {
    name: "process",
    server: LOCAL,
    check: (spec) => checkProcessSpec(spec, process.platform),

    async prepare(spec, { signal, progress }) {
      checkProcessSpec(spec, process.platform);
      // What its command needs may come into its folder later.
      if (spec.workspace !== undefined) return "";
      const folder = spec.directory ?? "";
      if ((await stat(folder).catch(() => undefined))?.isDirectory() !== true) {
        throw fail("service.invalid", `the folder ${quote(folder)} is not there`);
      }
      await planRun(folder, spec);
      progress("reading the folder");
      return folderDigest(folder, signal);
    },

    async create(spec, { signal, progress }) {
      checkProcessSpec(spec, process.platform);
      signal.throwIfAborted();
      // What an earlier try of a daemon that was killed left behind.
      await destroy(spec.id);
      progress(spec.directory === undefined ? "making its folder" : "copying the folder");
      await files.create(spec);
    },

    start: async (id) => (await existing(id)).start(),
    stop: async (id, graceMs) => (await supervisor.find(id))?.stop(graceMs),
    destroy,
    status: async (id) => (await supervisor.find(id))?.status() ?? { state: "missing" },

    async stats(id) {
      const instance = await supervisor.find(id);
      const run = instance?.run();
      if (run === undefined) return undefined;
      const usage = await usages.of(id, run.pid);
      return usage === undefined ? undefined : { ...usage, run: run.name, restarts: run.restarts };
    },

    async list(owner) {
      const specs = await Promise.all((await files.ids()).map((id) => files.readSpec(id)));
      return specs.flatMap((spec) => (spec?.owner === owner ? [spec.id] : []));
    },

    async *logs(id, logOptions) {
      const instance = await existing(id);
      const ended = (): boolean => ["exited", "missing"].includes(instance.status().state);
      yield* readInstanceLogs(instance.logs, ended, logOptions, clock);
    },

    async exec(id, execOptions) {
      const instance = await existing(id);
      if (instance.status().state !== "running") throw fail("service.stopped", `${id} is not running`);
      const { spec } = instance;
      const wish = {
        ...spec,
        secrets: spec.service === undefined ? {} : secretsOf(spec.service),
        command: execOptions.command,
      };
      const plan = await planRun(files.app(id), wish, await files.tools(id));
      return execBeside(plan, execOptions);
    },

    supervise: () => supervisor.supervise(),
    close: () => supervisor.close(),
  };
}
