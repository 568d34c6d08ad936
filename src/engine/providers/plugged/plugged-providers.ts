/**
 * All providers that are plugins: those that are installed now, and those that are gone and still have instances, which are not forgotten.
 * Composed by the daemon, which calls `recover` before anything is repaired.
 */
import type { ProviderInstanceRow } from "../../../state/provider-instances.ts";
import type { Provider } from "../provider.ts";
import type { PluggedProvider } from "./plugged-provider.ts";
import { makePluggedProvider, type PluggedDeps } from "./provider.ts";

export interface PluggedProviders {
  /** In the order of their names. */
  all(): readonly Provider[];
  /** What is on it, in words. */
  instancesOn(provider: string): readonly string[];
  /** Ends what a daemon before this one had set to create instances: it would come between what this one does. */
  recover(): void;
}

export interface PluggedProvidersDeps extends PluggedDeps {
  /** Asked anew each time. */
  readonly installed: () => readonly PluggedProvider[];
  /** Ends the process group of this process, if that is still who it was. */
  readonly endGroup: (identity: string) => void;
}

export function makePluggedProviders(deps: PluggedProvidersDeps): PluggedProviders {
  const { rows, installed } = deps;
  const made = new Map<string, Provider>();

  function providerNamed(name: string): Provider {
    const known = made.get(name);
    if (known !== undefined) return known;
    const current = (): PluggedProvider | undefined => installed().find((each) => each.name === name);
    const provider = makePluggedProvider(name, current, deps);
    made.set(name, provider);
    return provider;
  }

  return {
    all() {
      const names = new Set([...installed().map(({ name }) => name), ...rows.providers()]);
      return [...names].toSorted().map(providerNamed);
    },
    instancesOn: (provider) => rows.list(provider).map(instanceText),
    recover() {
      for (const provider of rows.providers())
        for (const { creator } of rows.list(provider)) if (creator !== null) deps.endGroup(creator);
    },
  };
}

// --- internal ---

function instanceText({ name, service, workspace }: ProviderInstanceRow): string {
  if (workspace !== null) return `workspace ${workspace}`;
  return service === null ? name : `service ${service} (${name})`;
}
