/**
 * What is said of plugins in folders beside the table of plugins: where they lie, why one can't be used, how to consent, and which of the own ones
 * the daemon does not see. Called by `plugin list`.
 */
import { readdirSync } from "node:fs";
import { dirname, isAbsolute, join } from "node:path";
import type { Output, PluginView } from "../api/operations.ts";
import { LIMITS } from "../base/limits.ts";
import { devboxPlugins, type Environment } from "../base/paths.ts";
import { printable } from "../base/text.ts";

type Folders = Output<"plugin.list">["folders"];

/** Below the table. */
export function dropInNotes(plugins: readonly PluginView[]): string {
  const troubled = plugins.filter(({ state, reason }) => reason !== null && TROUBLES.has(state));
  const reasons = troubled.map(
    ({ name, reason }) => `${printable(name)}: ${printable(reason ?? "", LIMITS.errorTextChars)}\n`,
  );
  const waits = plugins.some(({ state }) => state === "not approved")
    ? [`not approved: it does not run; ${CONSENT}`]
    : [];
  const changed = plugins.some(({ state, folder }) => state === "tampered" && folder !== null)
    ? [`tampered: it does not run; ${CONSENT}`]
    : [];
  const notes = [...placesOf(plugins), ...reasons, ...waits, ...changed];
  return notes.length === 0 ? "" : `\n${notes.join("")}`;
}

/** On standard error: what is in no row of the table. */
export function unseenNotes(
  { plugins, folders }: { readonly plugins: readonly PluginView[]; readonly folders: Folders },
  environment: Environment,
): string {
  const told = folders.flatMap(({ path, problem }) =>
    problem === null ? [] : [`note: of the plugins in ${printable(path)}: ${printable(problem)}\n`],
  );
  return [...told, ...unseenOwn(plugins, environment)].join("");
}

/** As the daemon takes it: absolute, or not at all. */
export function homeOf(environment: Environment): string | undefined {
  const home = environment["HOME"];
  return home !== undefined && isAbsolute(home) ? home : undefined;
}

// --- internal ---

const CONSENT = "to look at what it asks for and consent: voxeltron plugin enable NAME\n";

/** Beside the table: paths are longer than a line. A plugin's folder has its name. */
function placesOf(plugins: readonly PluginView[]): readonly string[] {
  const lying = plugins.flatMap(({ name, folder }) =>
    folder === null ? [] : [{ name, place: dirname(folder) }],
  );
  return [...Map.groupBy(lying, ({ place }) => place)].map(
    ([place, those]) =>
      `from ${printable(place, LIMITS.uploadPathBytes)}: ${those.map(({ name }) => printable(name)).join(", ")}\n`,
  );
}

const TROUBLES: ReadonlySet<string> = new Set(["broken", "shadowed", "tampered", "paused", "suspended"]);

/** The daemon may run as somebody else, or be kept from home folders. */
function unseenOwn(plugins: readonly PluginView[], environment: Environment): readonly string[] {
  const home = homeOf(environment);
  if (home === undefined) return [];
  const folder = devboxPlugins(home);
  const names = foldersIn(folder).filter(
    (name) => !plugins.some((each) => each.folder === join(folder, name)),
  );
  if (names.length === 0) return [];
  const first = printable(join(folder, names[0] ?? ""), LIMITS.uploadPathBytes);
  return [
    `note: the daemon does not see ${printable(names.join(", "))} in ${printable(folder)}: it runs as another user, or may not look into home folders (ProtectHome=); this installs it all the same: voxeltron plugin install ${first}\n`,
  ];
}

function foldersIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && !entry.name.startsWith("."))
      .map(({ name }) => name)
      .slice(0, LIMITS.dropInsPerFolder);
  } catch {
    return [];
  }
}
