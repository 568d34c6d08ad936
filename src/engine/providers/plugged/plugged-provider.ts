/** What the engine knows of a provider that is a plugin: its name, what it offers, and a way to ask. Pure types; given by the daemon. */
import type { OptionalAction, ProviderAction } from "../../../base/provider-actions.ts";

export interface PluggedProvider {
  readonly name: string;
  /** Beside those that every provider has. */
  readonly actions: readonly OptionalAction[];
  /** Wall clock of an action, as it is now. */
  timeoutMs(action: ProviderAction): number;
  /** Gives the answer's `result`. Throws `plugin.*`, `capability.*`, `config.invalid`, or the signal's reason while it waits for its turn. */
  ask(action: ProviderAction, params: Params, call: AskCall): Promise<unknown>;
}

export type Params = Readonly<Record<string, unknown>>;

export interface AskCall {
  readonly signal: AbortSignal;
  /** Beside the time that the action has. */
  readonly moreMs?: number | undefined;
  /** A line that it says meanwhile, for people. */
  readonly said?: ((line: string) => void) | undefined;
  /** From now on it may do something: this process, the leader of a group of its own. Must not throw. */
  readonly began?: ((pid: number) => void) | undefined;
}
