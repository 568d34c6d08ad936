/**
 * From a plugin that the daemon has read to one that it runs: show, ask, install. And what the command line says about that
 * beforehand. Shared by `plugin install` and `plugin dev`.
 */
import type { Client } from "../api/client.ts";
import type { CandidateView, Input, PluginDetails, PluginView } from "../api/operations.ts";
import { isVoxError } from "../base/errors.ts";
import { printable, quote } from "../base/text.ts";
import type { OptionValues } from "./command.ts";
import { obtainConsent, type Grants } from "./consent.ts";
import { parseGrants } from "./grants.ts";
import type { Io } from "./io.ts";
import { usage } from "./parse.ts";

export type Source = Input<"plugin.inspect">["source"];

export const CONSENT_OPTIONS = {
  yes: { type: "flag", summary: "grant every required capability without asking" },
  grant: {
    type: "list",
    value: "CAP[=SCOPE,…]",
    summary: "grant exactly this without asking; a missing required one is refused",
  },
  isolation: {
    type: "text",
    value: "worker|process",
    summary: "the room that the plugin's code runs in; the daemon chooses where this is left out",
  },
} as const;

/** What the command line said. */
export interface Terms {
  readonly yes: boolean;
  readonly grants: Grants;
  readonly isolation: Input<"plugin.install">["isolation"];
}

/** Throws `usage.invalid`. */
export function parseTerms(
  options: Pick<OptionValues<typeof CONSENT_OPTIONS>, "yes" | "grant" | "isolation">,
  words: string,
): Terms {
  const grants = parseGrants(options.grant);
  if (options.yes && grants.length > 0) throw usage("--yes and --grant exclude each other", { words });
  return { yes: options.yes, grants, isolation: parseIsolation(options.isolation, words) };
}

export interface Asking {
  readonly io: Io;
  readonly client: Client;
  readonly terms: Terms;
  /** With --json and a flag that answers, nobody reads the transcript. */
  readonly quiet: boolean;
  /** More for the operator to know before he consents. */
  readonly remarks?: readonly string[];
}

/** Throws `consent.needed`, `consent.refused` and what the daemon says. */
export async function consentTo(candidate: CandidateView, asking: Asking): Promise<Grants> {
  const { io, client, terms, quiet, remarks = [] } = asking;
  const installed = await installedVersion(client, candidate);
  return obtainConsent(io, candidate, installed, { ...terms, quiet, remarks });
}

export async function installPlugin(
  { client, terms }: Pick<Asking, "client" | "terms">,
  source: Source,
  { digest }: CandidateView,
  grants: Grants,
): Promise<PluginView> {
  const { isolation } = terms;
  return client.call("plugin.install", {
    source,
    digest,
    grants,
    ...(isolation === undefined ? {} : { isolation }),
  });
}

/** ` broken: its code …`; empty where there is nothing to say. */
export function stateText({ state, reason }: PluginView): string {
  return reason === null ? printable(state) : `${printable(state)}: ${printable(reason, 500)}`;
}

// --- internal ---

function parseIsolation(text: string | undefined, words: string): Terms["isolation"] {
  if (text === undefined || text === "worker" || text === "process") return text;
  throw usage(`--isolation wants worker or process, found ${quote(text)}`, { words });
}

async function installedVersion(
  client: Client,
  candidate: CandidateView,
): Promise<PluginDetails | undefined> {
  if (candidate.replaces === null) return undefined;
  try {
    return await client.call("plugin.info", { name: candidate.name });
  } catch (error) {
    // Removed in between: then it replaces nothing, and everything it asks for is shown anyway.
    if (isVoxError(error) && error.code === "plugin.not_found") return undefined;
    throw error;
  }
}
