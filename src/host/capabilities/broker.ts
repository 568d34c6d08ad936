/**
 * The one door: whatever a plugin asks of the host comes through `invoke`, and every check is made here, at every call, so
 * that a revoked grant counts at once. What a guest may learn from a failure is decided here too: an expected error crosses
 * as it is, a bug stays in the daemon's log. Made in daemon/compose-host.ts; rooms get `doorFor(plugin)`.
 */
import * as v from "valibot";
import type { Clock } from "../../base/clock.ts";
import { diskFull } from "../../base/disk-full.ts";
import { fail, isVoxError, messageOf, stackOf } from "../../base/errors.ts";
import { jsonSize } from "../../base/json-size.ts";
import { LIMITS } from "../../base/limits.ts";
import type { Log } from "../../base/log.ts";
import { wantedBy } from "../../base/schema-words.ts";
import { didYouMean, formatBytes, printable, quote } from "../../base/text.ts";
import type { GrantName } from "../../base/grant-names.ts";
import type { PluginLogs } from "../installed/plugin-logs.ts";
import type { CallOrigin, MethodShape, PluginDoor } from "../runtimes/runtime.ts";
import { makeAuditDesk, type AuditDesk, type AuditLog } from "./audit-desk.ts";
import { denied } from "./denial.ts";
import type { Caller, Method } from "./method.ts";
import { makePluginLog } from "./plugin-log.ts";
import { makeQuota, type Quota, type QuotaRates } from "./quota.ts";
import { makeRunning, type Running } from "./running.ts";
import { makeStreams, type Streams } from "./streams.ts";
import { makeRounds, makeTurns, type Turns } from "./turns.ts";

export interface Broker {
  /**
   * All that a room knows of the host, for one plugin. Doors of one plugin share its bounds. `callerOf` is for a version that is
   * about to be installed: it answers with the rights that this version will have.
   *
   * `invoke` rejects with `capability.unknown_method`, `capability.denied`, `capability.invalid_params`,
   * `capability.limit`, `operation.interrupted` (the signal), `internal.bug`, and what the method's own text says.
   *
   * @example
   * const door = broker.doorFor("deploy-notifier");
   * await door.invoke("notify.send", { channel: "ops", message: "web is live" });
   */
  doorFor(plugin: string, callerOf?: CallerOf): PluginDoor;
  /** Ends what is under way with a right that is gone; all plugins' where none is named. */
  rightsChanged(plugin?: string): void;
  /** The capabilities of which one opens the method. */
  opens(method: string): readonly GrantName[];
}

/** The daemon's own record of the plugin, as it is now; undefined where it is installed no more. */
export type CallerOf = (plugin: string) => Caller | undefined;

export interface BrokerOptions {
  readonly methods: readonly Method[];
  readonly callerOf: CallerOf;
  readonly audit: AuditLog;
  readonly pluginLogs: Pick<PluginLogs, "append">;
  readonly quota: () => QuotaRates;
  readonly clock: Clock;
  readonly log: Log;
}

export function makeBroker(options: BrokerOptions): Broker {
  const table = tableOf(options.methods);
  const desks = new Map<string, Desk>();
  const round = makeRounds();

  return {
    doorFor(plugin, callerOf = options.callerOf) {
      const desk = desks.get(plugin) ?? makeDesk(plugin, options);
      desks.set(plugin, desk);
      const calls = { ...options, callerOf, round };
      return {
        get methods() {
          return shapesFor(options.methods, callerOf(plugin));
        },
        invoke: (name, params, signal, origin) =>
          invoke(calls, table, desk, { name, params, signal, origin }),
        log: desk.log,
      };
    },
    rightsChanged(plugin) {
      for (const desk of desks.values()) {
        if (plugin !== undefined && desk.plugin !== plugin) continue;
        desk.running.recheck();
        desk.streams.recheck();
      }
    },
    opens: (method) => table.get(method)?.anyOf ?? [],
  };
}

// --- internal ---

/** What takes milliseconds to decode. */
const LARGE_CHARS = LIMITS.messageBytes / 8;

/** What is kept for one plugin between its calls. */
interface Desk {
  readonly plugin: string;
  readonly log: PluginDoor["log"];
  readonly audit: AuditDesk;
  readonly turn: Turns;
  readonly quota: Quota;
  readonly running: Running;
  readonly streams: Streams;
}

interface Call {
  readonly name: string;
  readonly params: unknown;
  readonly signal: AbortSignal | undefined;
  readonly origin: CallOrigin | undefined;
}

type Table = ReadonlyMap<string, Method>;

function tableOf(methods: readonly Method[]): Table {
  const table = new Map(methods.map((method) => [method.name, method]));
  if (table.size !== methods.length) throw new Error("two methods of the broker have one name");
  return table;
}

function shapesFor(methods: readonly Method[], caller: Caller | undefined): readonly MethodShape[] {
  const mayLink = (needs: readonly GrantName[]): boolean =>
    needs.length === 0 || needs.some((name) => caller?.grants.has(name) || caller?.optional.has(name));
  const offered = methods.filter(({ surface }) => surface !== "room");
  return offered.map(({ name, args, surface, anyOf }) => ({
    name,
    args,
    surface,
    needs: anyOf,
    linked: mayLink(anyOf),
    asked: anyOf.filter((capability) => caller?.requested.has(capability)),
  }));
}

function makeDesk(plugin: string, options: BrokerOptions): Desk {
  const { pluginLogs, quota, clock, log } = options;
  return {
    plugin,
    log: makePluginLog(plugin, pluginLogs, clock, log),
    audit: makeAuditDesk(plugin, options),
    turn: makeTurns(),
    quota: makeQuota(clock, plugin, quota),
    running: makeRunning(),
    streams: makeStreams(),
  };
}

interface Calls extends BrokerOptions {
  /** One for all plugins: a large message is taken apart here as it was on its way, and of those there is one in a round. */
  readonly round: () => Promise<void>;
}

async function invoke(options: Calls, table: Table, desk: Desk, call: Call): Promise<unknown> {
  const quota = isRoomsOwn(options, table, desk.plugin, call.name) ? UNMETERED : desk.quota;
  const leave = quota.enter();
  const chars = call.origin?.chars ?? 0;
  quota.count(chars);
  const ready = chars < LARGE_CHARS ? undefined : options.round;
  try {
    return await desk.turn(async () => {
      call.signal?.throwIfAborted();
      return checked(options, table, { ...desk, quota }, call);
    }, ready);
  } catch (raw) {
    const error = diskFull(raw);
    if (isVoxError(error)) throw error;
    if (call.signal?.aborted === true) throw fail("operation.interrupted", "the call was cancelled");
    options.log.error("a capability method broke", {
      plugin: desk.plugin,
      method: printable(call.name),
      problem: messageOf(error),
      stack: stackOf(error),
    });
    throw fail("internal.bug", "something went wrong inside voxeltron");
  } finally {
    leave();
  }
}

async function checked(options: BrokerOptions, table: Table, desk: Desk, call: Call): Promise<unknown> {
  const during = call.origin?.during;
  const caller = currentCaller(options, desk.plugin, during);
  const method = methodFor(table, call.name, caller);
  const capability = method.anyOf.find((name) => caller.grants.has(name)) ?? null;
  let target: string | null = null;
  let outcome = "internal.bug";
  try {
    const params = parsed(method, call.params, method.anyOf.length > 0 && capability === null, caller);
    target = method.target === undefined ? null : printable(method.target(params));
    // Asked of the records at each look: it was granted when the plugin began to use it, which says nothing of now.
    const check = (): void => checkRights(currentCaller(options, desk.plugin, during), method, params);
    check();
    const answer = await desk.running.run(check, call.signal, async (signal) => {
      if (method.isPatient === true) await desk.quota.awaitUse(signal);
      else desk.quota.checkUse();
      const life = call.origin?.life ?? UNENDING;
      const began = options.clock.monotonic();
      const running = method.run(caller, params, signal, desk.streams.during({ life, check }));
      // What was done at once kept everybody else waiting, however short its answer is.
      desk.quota.spend(options.clock.monotonic() - began);
      return running;
    });
    desk.quota.count(sizeOf(method, answer) + itemsOf(answer) * LIMITS.callItemBytes);
    outcome = "ok";
    return answer;
  } catch (error) {
    outcome = isVoxError(error)
      ? error.code
      : call.signal?.aborted === true
        ? "operation.interrupted"
        : outcome;
    throw error;
  } finally {
    if (method.anyOf.length > 0)
      desk.audit({
        method: method.name,
        capability: capability ?? wantedOf(caller, method),
        target,
        outcome,
        during,
      });
  }
}

/**
 * What the daemon asks for itself, for an executable: there is no guest that could ask too much. A provider must be able to stop an
 * instance whatever it said or did before.
 */
function isRoomsOwn({ callerOf }: BrokerOptions, table: Table, plugin: string, name: string): boolean {
  const method = table.get(name);
  if (method?.surface !== "room") return false;
  const requested = callerOf(plugin)?.requested;
  return method.anyOf.some((each) => requested?.has(each) === true);
}

const UNMETERED: Quota = {
  enter: () => () => {},
  count() {},
  spend() {},
  checkUse() {},
  async awaitUse() {},
};

/** What it would take: of what opens the method, what its manifest asks for. */
function wantedOf({ requested }: Caller, { anyOf }: Method): GrantName | null {
  return anyOf.find((name) => requested.has(name)) ?? anyOf[0] ?? null;
}

/** Of calls that come from no room. */
const UNENDING = new AbortController().signal;

function checkRights(caller: Caller, method: Method, params: never): void {
  if (method.anyOf.length > 0 && !method.anyOf.some((name) => caller.grants.has(name)))
    throw denied(caller, method, method.scope?.(params));
  method.check?.(caller, params);
}

/** Its grants are read anew each time they are looked at, so a long call sees a revoke too. */
function currentCaller({ callerOf }: BrokerOptions, plugin: string, during: string | undefined): Caller {
  const now = callerOf(plugin);
  if (now === undefined) throw fail("plugin.not_found", `plugin ${plugin} is not installed any more`);
  return {
    ...now,
    during,
    get grants() {
      return callerOf(plugin)?.grants ?? NOTHING;
    },
  };
}

const NOTHING: ReadonlyMap<GrantName, readonly string[] | null> = new Map();

/** What only a room asks for is nothing that a guest in another room could know of. */
function methodFor(table: Table, name: string, { requested }: Caller): Method {
  const found = table.get(name);
  const isOffered = found?.surface !== "room" || found.anyOf.some((each) => requested.has(each));
  return found !== undefined && isOffered ? found : unknownMethod(table, name);
}

function unknownMethod(table: Table, name: string): never {
  const offered = [...table.values()].filter(({ surface }) => surface !== "room");
  const meant = didYouMean(
    name,
    offered.map((each) => each.name),
  );
  throw fail("capability.unknown_method", `no method is called ${quote(name)}`, {
    hint: meant === undefined ? undefined : `did you mean ${meant}?`,
  });
}

/** Without a grant, the refusal is what matters, not how the call was spelled. */
function parsed(method: Method, params: unknown, isDenied: boolean, caller: Caller): never {
  const result = v.safeParse(method.params, params ?? {}, { abortEarly: true });
  if (result.success) return result.output as never;
  if (isDenied) throw denied(caller, method, undefined);
  throw fail("capability.invalid_params", `${method.name}: ${faultOf(result.issues[0])}`);
}

/** Not the value: it may be a secret, and it goes to a log. */
function faultOf(issue: v.BaseIssue<unknown>): string {
  const keys = (issue.path ?? []).map((item) => String(item.key)).join(".");
  const path = keys === "" ? "the parameters" : printable(keys);
  if (issue.type === "strict_object" && issue.path !== undefined)
    return `${path} ${issue.expected === "never" ? "is nothing that it knows" : "is missing"}`;
  return `${path}: wanted ${wantedBy(issue, "an object")}`;
}

/** To look up a long list costs more than its characters. */
function itemsOf(answer: unknown): number {
  return Array.isArray(answer) ? answer.length : 0;
}

function sizeOf(method: Method, answer: unknown): number {
  const size = answer === undefined ? 0 : jsonSize(answer);
  if (size > LIMITS.messageBytes)
    throw fail(
      "capability.limit",
      `the answer of ${method.name} has ${formatBytes(size)}, at most ${formatBytes(LIMITS.messageBytes)} can be given`,
    );
  return size;
}
