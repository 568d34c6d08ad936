/** How the list shows what is not installed: drop-ins, and what is built in. Pure; every text of a stranger passes `printable`. */
import { BUILT_INS, type BuiltIn } from "../../base/built-ins.ts";
import { LIMITS } from "../../base/limits.ts";
import { printable } from "../../base/text.ts";
import { VERSION } from "../../base/version.ts";
import { NO_CEILING } from "../ceiling.ts";
import { consentView, type PluginDetails, type PluginView } from "../plugin-views.ts";
import { standings } from "../standing.ts";
import { kindOf, typeOf } from "../manifest/manifest.ts";
import type { Ranked } from "./find-drop-ins.ts";
import type { DropIn } from "./read-drop-in.ts";

/** For the list. */
export function summaryOf(details: PluginDetails): PluginView {
  const { name, version, tier, kind, type, builtIn, folder, state, reason, room, roomReason } = details;
  return { name, version, tier, kind, type, builtIn, folder, state, reason, room, roomReason };
}

export function dropInDetails({ dropIn, behind }: Ranked): PluginDetails {
  const { name, folder, manifest } = dropIn;
  return {
    ...NOTHING,
    ...consentView(manifest, []),
    capabilities: manifest === undefined ? [] : standings(manifest, [], NO_CEILING, () => undefined),
    name: printable(name),
    version: manifest?.version ?? "",
    tier: manifest?.tier ?? null,
    kind: manifest === undefined ? "unknown" : kindOf(manifest),
    type: manifest === undefined ? null : typeOf(manifest),
    ...stateOf(dropIn, behind),
    folder: printable(folder, LIMITS.uploadPathBytes),
    source: "drop-in",
  };
}

/** In the order of their names. */
export function builtInDetails(): readonly PluginDetails[] {
  return BUILT_INS.map(detailsOf);
}

// --- internal ---

function stateOf(
  { name, problem }: DropIn,
  behind: string | undefined,
): Pick<PluginDetails, "state" | "reason"> {
  const text = (reason: string): string => printable(reason, LIMITS.errorTextChars);
  if (behind !== undefined) return { state: "shadowed", reason: text(behind) };
  if (problem !== undefined) {
    const advice = problem.hint === undefined ? "" : `; ${problem.hint}`;
    return { state: "broken", reason: text(`${problem.message}${advice}`) };
  }
  return {
    state: "not approved",
    reason: `nobody has consented to it; to look at what it asks for and consent: voxeltron plugin enable ${name}`,
  };
}

function detailsOf({ name, description }: BuiltIn): PluginDetails {
  return {
    ...NOTHING,
    name,
    description,
    version: VERSION,
    kind: "built in",
    type: "provider",
    builtIn: true,
    state: "enabled",
    source: "built in",
  };
}

const NOTHING: Omit<PluginDetails, "name" | "version" | "kind" | "state" | "source"> = {
  tier: null,
  type: null,
  builtIn: false,
  folder: null,
  reason: null,
  room: null,
  roomReason: null,
  description: "",
  digest: "",
  installedAt: "",
  link: null,
  versions: [],
  granted: [],
  notGranted: [],
  capabilities: [],
  unused: [],
  hooks: [],
  strikes: 0,
  running: false,
  pending: 0,
  provider: null,
  warnings: [],
};
