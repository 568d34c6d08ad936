/**
 * The installed plugins that are providers, as whoever runs instances sees them: what each can be asked, and the way to ask. One that may
 * not run is among them, and says why when it is asked. Called by plugins.ts.
 */
import type { OptionalAction, ProviderAction } from "../../base/provider-actions.ts";
import type { ActionCall } from "../runtimes/exec/action-desk.ts";
import type { InstalledPlugin } from "./installed-plugin.ts";
import type { Roster, RosterDeps } from "./roster.ts";

export interface ProviderOfferHandle {
  /** The plugin's, which is the provider's too. */
  readonly name: string;
  /** Beside those that every provider has. */
  readonly actions: readonly OptionalAction[];
  /** Wall clock of an action, as it is now. */
  timeoutMs(action: ProviderAction): number;
  /** Throws `plugin.*`, `capability.denied`, `config.invalid`, or the signal's reason while it waits. */
  ask(action: ProviderAction, params: Readonly<Record<string, unknown>>, call: ActionCall): Promise<unknown>;
}

export function makeProviderOffers(
  roster: Pick<Roster, "all" | "get">,
  { actionTimeouts }: Pick<RosterDeps, "actionTimeouts">,
): () => readonly ProviderOfferHandle[] {
  /** A plugin's object is replaced with its row. */
  const known = new WeakMap<InstalledPlugin, ProviderOfferHandle>();

  function handleOf(plugin: InstalledPlugin): ProviderOfferHandle | undefined {
    const found = known.get(plugin);
    const offer = plugin.manifest?.provider;
    if (found !== undefined || offer === undefined) return found;
    const { name } = plugin.row;
    const handle: ProviderOfferHandle = {
      name,
      actions: offer.actions,
      timeoutMs: (action) => actionTimeouts(name)[action] ?? offer.timeoutMs[action],
      ask: async (action, params, call) => roster.get(name).actions.ask(action, params, call),
    };
    known.set(plugin, handle);
    return handle;
  }

  return () => roster.all().flatMap((plugin) => handleOf(plugin) ?? []);
}
