/**
 * What a capability family contributes to the broker's one table: a method, the capability that opens it, the schema of
 * its parameters and the handler. `catalogue.ts` joins the families; nothing else makes a method callable.
 */
import type { GenericSchema, InferOutput } from "valibot";
import type { GrantName } from "../../base/grant-names.ts";
import type { Ceilings } from "../ceiling.ts";
import type { MethodArgs, MethodSurface } from "../runtimes/runtime.ts";
import type { Scope } from "./scopes.ts";
import type { CallStreams, StreamSource } from "./streams.ts";

/** Who is asking. Made by the daemon from its own records, never from what the guest says. */
export interface Caller {
  readonly plugin: string;
  /** Granted capabilities and their scopes; a null scope is the whole capability. */
  readonly grants: ReadonlyMap<GrantName, readonly string[] | null>;
  /** What its manifest asks for, required or optional: decides which advice a refusal gives. */
  readonly requested: ReadonlySet<GrantName>;
  /** Of these, the ones that the operator may leave out. */
  readonly optional: ReadonlySet<GrantName>;
  /** What the operator's ceiling leaves out: granting it would change nothing. */
  readonly withheld: ReadonlySet<GrantName>;
  /** Why its grants are what they are, for the advice that a refusal gives. */
  readonly standing?: Standing;
  /** The hook that runs, or other words for what its guest is doing. */
  readonly during?: string | undefined;
}

/** What the manifest asks for, and what was granted of it; undefined: nothing. */
export interface Standing {
  asked(capability: GrantName): Scope | undefined;
  granted(capability: GrantName): Scope | undefined;
  readonly ceilings: Ceilings;
}

export interface Method {
  /** `notify.send`: what the guest names, and what the audit log shows. */
  readonly name: string;
  readonly args: MethodArgs;
  readonly surface: MethodSurface;
  /** One of these must be granted, and each call is audited; empty: every plugin has it, unaudited. */
  readonly anyOf: readonly GrantName[];
  readonly params: GenericSchema;
  /**
   * Throws `capability.out_of_scope` where this target is not open to the caller. Asked before `run`, and again whenever the plugin's
   * rights change while the call, or a stream that it opened, is under way.
   */
  readonly check?: (caller: Caller, params: never) => void;
  readonly run: (
    caller: Caller,
    params: never,
    signal: AbortSignal,
    streams: CallStreams,
  ) => Promise<unknown>;
  /** What the audit line names: a host, a channel. Never a secret. */
  readonly target?: (params: never) => string;
  /** The narrowest scope that would allow this call, for the advice in a refusal. Only text that is safe in a command line. */
  readonly scope?: (params: never) => string | undefined;
  /** Beyond the plugin's bytes a second it waits instead of failing. */
  readonly isPatient?: boolean;
}

/** Ties a handler's parameter type to its schema. `surface` is "method" where nothing is said. */
export function method<S extends GenericSchema>(spec: MethodSpec<S> & Running<S>): Method {
  return { surface: "method", ...spec };
}

/**
 * A method whose answer comes in pieces. `open` begins it: it ends when its signal says so, and is read no faster than the plugin
 * reads. The plugin has an async iterable in JavaScript, and a handle for `stream.next` elsewhere.
 */
export function streamMethod<S extends GenericSchema>(spec: MethodSpec<S> & Opening<S>): Method {
  const { open, ...rest } = spec;
  return method<S>({
    surface: "stream",
    ...rest,
    run: async (caller, params, _signal, streams) => ({
      stream: await streams.start((signal) => open(caller, params, signal)),
    }),
  });
}

// --- internal ---

interface MethodSpec<S extends GenericSchema> extends Pick<Method, "name" | "args" | "anyOf" | "isPatient"> {
  readonly surface?: MethodSurface;
  readonly params: S;
  readonly check?: (caller: Caller, params: InferOutput<S>) => void;
  readonly target?: (params: InferOutput<S>) => string;
  readonly scope?: (params: InferOutput<S>) => string | undefined;
}

interface Running<S extends GenericSchema> {
  readonly run: (
    caller: Caller,
    params: InferOutput<S>,
    signal: AbortSignal,
    streams: CallStreams,
  ) => Promise<unknown>;
}

interface Opening<S extends GenericSchema> {
  readonly open: (
    caller: Caller,
    params: InferOutput<S>,
    signal: AbortSignal,
  ) => StreamSource | Promise<StreamSource>;
}
