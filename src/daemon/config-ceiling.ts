/** `[plugins] ceiling` and `[plugins.ceilings]`: how they are written, and what they come to for one plugin. */
import * as v from "valibot";
import { makeCeiling, type Ceilings } from "../host/ceiling.ts";
import { pluginName } from "../host/manifest/manifest-schema.ts";
import { readScoped, type ScopedCapability } from "../host/scoped-capability.ts";

/** `notify_send`, `network_outbound=api.example.com:443`: a capability with its scope in the output. */
const entry = v.pipe(
  v.string(),
  v.rawTransform<string, ScopedCapability>(({ dataset, addIssue, NEVER }) => {
    const found = readScoped(dataset.value);
    if ("capability" in found) return found;
    addIssue({ message: found.wanted });
    return NEVER;
  }),
);

export const ceiling = v.array(entry);

/** A name that no plugin can have would bound nothing. */
export const pluginCeilings = v.record(pluginName, ceiling);

/** `[plugins]` of the configuration, as far as it matters here. */
export interface CeilingConfig {
  readonly ceiling?: readonly ScopedCapability[] | undefined;
  readonly ceilings: Readonly<Record<string, readonly ScopedCapability[]>>;
}

/** The same object as long as the configuration is. */
export function ceilingsFor(config: CeilingConfig, plugin: string): Ceilings {
  const known = made.get(config) ?? new Map<string, Ceilings>();
  made.set(config, known);
  const found = known.get(plugin) ?? makeCeilings(config, plugin);
  known.set(plugin, found);
  return found;
}

// --- internal ---

const made = new WeakMap<CeilingConfig, Map<string, Ceilings>>();

function makeCeilings({ ceiling: general, ceilings }: CeilingConfig, plugin: string): Ceilings {
  const own = Object.hasOwn(ceilings, plugin) ? ceilings[plugin] : undefined;
  return [
    ...(general === undefined ? [] : [makeCeiling(general, "[plugins] ceiling")]),
    ...(own === undefined ? [] : [makeCeiling(own, `${plugin} in [plugins.ceilings]`)]),
  ];
}
