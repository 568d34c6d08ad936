/**
 * What a capability family contributes to the broker's one table: a method, the capability that opens it, the schema of
 * its parameters and the handler. `catalogue.ts` joins the families; nothing else makes a method callable.
 */
import type { GenericSchema, InferOutput } from "valibot";
import type { Capability } from "../../sdk/index.ts";
import type { Ceilings } from "../ceiling.ts";
import type { Scope } from "./scope-sets.ts";

/** Who is asking. Made by the daemon from its own records, never from what the guest says. */
export interface Caller {
  readonly plugin: string;
  /** Granted capabilities and their scopes; a null scope is the whole capability. */
  readonly grants: ReadonlyMap<Capability, readonly string[] | null>;
  /** What its manifest asks for, required or optional: decides which advice a refusal gives. */
  readonly requested: ReadonlySet<Capability>;
  /** Of these, the ones that the operator may leave out. */
  readonly optional: ReadonlySet<Capability>;
  /** What the operator's ceiling leaves out: granting it would change nothing. */
  readonly withheld: ReadonlySet<Capability>;
  /** Why its grants are what they are, for the advice that a refusal gives. */
  readonly standing?: Standing;
  /** The hook that runs, or other words for what its guest is doing. */
  readonly during?: string | undefined;
}

/** What the manifest asks for, and what was granted of it; undefined: nothing. */
export interface Standing {
  asked(capability: Capability): Scope | undefined;
  granted(capability: Capability): Scope | undefined;
  readonly ceilings: Ceilings;
}

export interface Method {
  /** `notify.send`: what the guest names, and what the audit log shows. */
  readonly name: string;
  /** Names of the positional arguments of `ctx.<name>`; together they are the params object. */
  readonly args: readonly string[];
  /** One of these must be granted, and each call is audited; empty: every plugin has it, unaudited. */
  readonly anyOf: readonly Capability[];
  readonly params: GenericSchema;
  readonly run: (caller: Caller, params: never, signal: AbortSignal) => Promise<unknown>;
  /** What the audit line names: a host, a channel. Never a secret. */
  readonly target?: (params: never) => string;
  /** The narrowest scope that would allow this call, for the advice in a refusal. Only text that is safe in a command line. */
  readonly scope?: (params: never) => string | undefined;
}

/** Ties a handler's parameter type to its schema. */
export function method<S extends GenericSchema>(spec: {
  readonly name: string;
  readonly args: readonly string[];
  readonly anyOf: readonly Capability[];
  readonly params: S;
  readonly run: (caller: Caller, params: InferOutput<S>, signal: AbortSignal) => Promise<unknown>;
  readonly target?: (params: InferOutput<S>) => string;
  readonly scope?: (params: InferOutput<S>) => string | undefined;
}): Method {
  return spec;
}
