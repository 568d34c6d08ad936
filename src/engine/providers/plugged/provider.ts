/**
 * A provider that is a plugin, as the engine sees every provider. What it was asked to create is on record before the first word of it,
 * so that a crash leaves nothing unknown, and nothing that is not on record is ever touched: a name may be somebody else's. Made by
 * plugged-providers.ts, once for each name; the plugin behind it comes, goes and changes.
 */
import { timestamp, type Clock } from "../../../base/clock.ts";
import { fail, isVoxError, messageOf, type ErrorCode } from "../../../base/errors.ts";
import { LIMITS } from "../../../base/limits.ts";
import type { Log } from "../../../base/log.ts";
import { printable, quote } from "../../../base/text.ts";
import type { ProviderInstanceRow, ProviderInstanceRows } from "../../../state/provider-instances.ts";
import { makeSerial, type Serial } from "../../serial.ts";
import {
  hasEnded,
  isUp,
  type InstanceSpec,
  type InstanceStatus,
  type Provider,
  type SecretsOf,
} from "../provider.ts";
import { LOCAL } from "../providers.ts";
import { addressesFrom, execFrom, logsFrom, parseUpstream, statsFrom, statusFrom } from "./answers.ts";
import { gone, makeAsk, unsupported } from "./ask.ts";
import { createParams, servicePortKey, workspacePortKey } from "./create-params.ts";
import { lookAtLogs, type LogParams } from "./look-at-logs.ts";
import type { AskCall, PluggedProvider } from "./plugged-provider.ts";
import { runCommand } from "./run-command.ts";

export interface PluggedDeps {
  readonly rows: ProviderInstanceRows;
  /** Who a process is, so that the next daemon knows it again; undefined where that can't be said. */
  readonly identify: (pid: number) => string | undefined;
  readonly secretsOf: SecretsOf;
  readonly clock: Clock;
  readonly log: Log;
}

/** `current`: the plugin as it is installed now; undefined where it is not. */
export function makePluggedProvider(
  name: string,
  current: () => PluggedProvider | undefined,
  deps: PluggedDeps,
): Provider {
  const { rows, secretsOf, clock, log } = deps;
  const ask = makeAsk(name, current);
  const changes = makeChanges();
  const find = (id: string): ProviderInstanceRow | undefined => rows.find(name, id);
  const offers = (action: "logs" | "stats"): boolean => current()?.actions.includes(action) === true;

  async function status(id: string): Promise<InstanceStatus> {
    if (find(id) === undefined) return { state: "missing" };
    return statusFrom({ provider: name, action: "status", result: await ask("status", { name: id }) });
  }

  /** An error counts only where it did not come about all the same. */
  async function settle(
    action: "start" | "stop" | "destroy",
    id: string,
    isSo: (status: InstanceStatus) => boolean,
    call: Partial<AskCall> & { readonly params?: Readonly<Record<string, unknown>> } = {},
  ): Promise<unknown> {
    const { params = {}, ...rest } = call;
    try {
      return await ask(action, { name: id, ...params }, rest);
    } catch (error) {
      if (!isVoxError(error) || !ANSWERED.has(error.code)) throw error;
      const found = await status(id).catch(() => undefined);
      if (found === undefined || !isSo(found)) throw error;
      return undefined;
    }
  }

  async function create(spec: InstanceSpec, context: Parameters<Provider["create"]>[1]): Promise<void> {
    const { signal, progress } = context;
    signal.throwIfAborted();
    const { id } = spec;
    const [service, workspace] = [spec.service ?? null, spec.workspace ?? null];
    const before = find(id);
    // A workspace may have any name, also that of an instance: it would take its place on record, and its destruction with it.
    if (before !== undefined && (before.service !== service || before.workspace !== workspace))
      throw fail("provider.failed", `${name} runs something else as ${id} already`, {
        hint:
          before.service === null ? undefined : `it is of the service ${before.service}; choose another name`,
      });
    rows.put({ provider: name, name: id, service, workspace, createdAt: timestamp(clock.now()) });
    let began = false;
    try {
      const secrets = spec.service === undefined ? {} : secretsOf(spec.service);
      await ask("create", createParams(id, spec, secrets), {
        signal,
        said: (line) => progress(printable(line)),
        began(pid) {
          began = true;
          remember(id, pid);
        },
      });
      rows.setCreator(name, id, null);
    } catch (error) {
      const saidNo = isVoxError(error) && error.code === "plugin.failed";
      // A workspace's name may be that of something else which was there before: what said no has made nothing of ours.
      if (!began || (saidNo && workspace !== null)) rows.remove(name, id);
      else if (saidNo) rows.setCreator(name, id, null);
      throw error;
    }
  }

  /** Must not throw: its process runs. */
  function remember(id: string, pid: number): void {
    try {
      rows.setCreator(name, id, deps.identify(pid) ?? String(pid));
    } catch (error) {
      log.error("who creates an instance could not be written down", {
        provider: name,
        instance: id,
        error: messageOf(error),
      });
    }
  }

  async function destroy(id: string): Promise<void> {
    const row = find(id);
    if (row === undefined) return;
    await settle("destroy", id, ({ state }) => state === "missing");
    // What was creating it broke off, and what it had set in motion elsewhere may come to its end only now.
    if (row.creator !== null && row.service !== null) destroyLater(row);
    else rows.remove(name, id);
  }

  function destroyLater({ name: id, createdAt }: ProviderInstanceRow): void {
    clock.after(LIMITS.lateCreateMs, () => {
      void changes(id, async () => {
        if (find(id)?.createdAt !== createdAt) return;
        await settle("destroy", id, ({ state }) => state === "missing");
        rows.remove(name, id);
      }).catch((error: unknown) =>
        log.warn("an instance of which creating broke off may be there again", {
          provider: name,
          instance: id,
          error: messageOf(error),
        }),
      );
    });
  }

  async function start(id: string): Promise<void> {
    if (find(id) === undefined) throw fail("instance.not_found", `there is no instance ${quote(id)}`);
    const result = await settle("start", id, isUp);
    rows.started(name, id, addressesFrom({ provider: name, action: "start", result }));
  }

  async function stats(id: string) {
    const row = find(id);
    if (row === undefined) return undefined;
    const result = await ask("stats", { name: id });
    // Nothing, where it does not run.
    if (result === undefined || result === null) return undefined;
    return statsFrom({ provider: name, action: "stats", result }, `start ${row.starts}`);
  }

  return {
    name,
    server: LOCAL,
    plainNames: true,
    unattended: true,
    logRestsMs: LIMITS.providerLogRestMs,
    workMs: (work) =>
      (current()?.timeoutMs(work) ?? 0) + (work === "stop" ? LIMITS.stopGraceMs : 0) + LIMITS.roomGraceMs,
    check: (spec) => check(name, current(), spec),

    async prepare(spec, { progress }) {
      check(name, current(), spec);
      const { registryAuth } = spec;
      if (registryAuth !== undefined)
        progress(`${name} is not told the password for ${registryAuth.host}: it has to know it by itself`);
      return spec.image ?? "";
    },
    create: (spec, context) =>
      changes(spec.id, async () => {
        check(name, current(), spec);
        await create(spec, context);
      }),
    start: (id) => changes(id, () => start(id)),
    stop: (id, graceMs) =>
      changes(id, async () => {
        if (find(id) === undefined) return;
        const isDown = (found: InstanceStatus): boolean => hasEnded(found) || DOWN.has(found.state);
        await settle("stop", id, isDown, { params: { grace_ms: graceMs }, moreMs: graceMs });
      }),
    destroy: (id) => changes(id, () => destroy(id)),
    status,
    get stats() {
      return offers("stats") ? stats : undefined;
    },
    // A workspace has a row of its own, and its name alone is no reason to remove anything.
    list: async () => rows.list(name).flatMap((row) => (row.service === null ? [] : [row.name])),

    async *logs(id, options) {
      if (find(id) === undefined) throw fail("instance.not_found", `there is no instance ${quote(id)}`);
      if (!offers("logs")) {
        if (current() === undefined) throw gone(name);
        throw unsupported(name, "logs");
      }
      const source = {
        provider: name,
        ask: async (params: LogParams, signal: AbortSignal) => {
          const result = await ask("logs", { name: id, ...params }, { signal });
          return logsFrom({ provider: name, action: "logs", result }, params.tail);
        },
        async ended() {
          const found = await status(id);
          return hasEnded(found) || found.state === "missing";
        },
      };
      yield* lookAtLogs(source, options, clock);
    },

    exec: (id, options) =>
      runCommand(id, options, async (params, signal) =>
        execFrom({ provider: name, action: "exec", result: await ask("exec", params, { signal }) }),
      ),

    async reach(spec) {
      const address = addressIn(find(spec.id)?.addresses ?? {}, spec);
      const found = address === undefined ? undefined : parseUpstream(address);
      if (found !== undefined) return found;
      if (spec.hostPort === undefined) throw fail("provider.failed", `${name} gave no address of ${spec.id}`);
      return { host: "127.0.0.1", port: spec.hostPort };
    },
  };
}

// --- internal ---

/** It was asked, and what came of it has to be looked at. */
const ANSWERED: ReadonlySet<ErrorCode> = new Set([
  "plugin.failed",
  "plugin.timeout",
  "plugin.crashed",
  "plugin.protocol",
]);

/** Never started, or not there. */
const DOWN: ReadonlySet<InstanceStatus["state"]> = new Set(["created", "missing"]);

/** By the names that the ports had in `create`. A service has one port, whatever that is called. */
function addressIn(addresses: Readonly<Record<string, string>>, spec: InstanceSpec): string | undefined {
  const port = spec.ports.find(({ inside }) => inside === spec.port);
  if (port !== undefined) return addresses[workspacePortKey(port)];
  const [only, ...others] = Object.values(addresses);
  return addresses[servicePortKey(spec)] ?? (others.length === 0 ? only : undefined);
}

/** One change of an instance at a time; of different ones several. */
function makeChanges() {
  const queues = new Map<string, { readonly serial: Serial; count: number }>();
  return async <T>(id: string, work: () => Promise<T>): Promise<T> => {
    const queue = queues.get(id) ?? { serial: makeSerial(), count: 0 };
    queues.set(id, queue);
    queue.count++;
    try {
      return await queue.serial(work);
    } finally {
      if (--queue.count === 0) queues.delete(id);
    }
  };
}

function check(name: string, plugged: PluggedProvider | undefined, spec: InstanceSpec): void {
  if (plugged === undefined) throw gone(name);
  if (spec.directory !== undefined)
    throw fail("provider.unsupported", `${name} runs images, and no folders`, {
      hint: "deploy an image with --image, or the folder with --provider process, or docker where it has a Dockerfile",
    });
  if (spec.image === undefined) throw fail("provider.unsupported", `${name} needs an image`);
}
