/**
 * What the doctor finds about `[servers.NAME]`: the files with which each is reached, and in the daemon whether its engine answers.
 * Called by doctor.ts.
 */
import { isVoxError } from "../base/errors.ts";
import { readCertificates } from "../engine/providers/docker/certificates.ts";
import { isLoopback, type ServerSettings } from "../engine/providers/docker/site.ts";
import type { ServerView } from "../engine/servers.ts";
import type { Finding } from "./finding.ts";

export interface ServerFacts {
  readonly settings: Readonly<Record<string, ServerSettings>>;
  readonly nowMs: number;
  /** Absent where no daemon runs: nobody is asked then. */
  readonly look?: () => Promise<readonly ServerView[]>;
}

export async function serverFindings({ settings, nowMs, look }: ServerFacts): Promise<Finding[]> {
  const names = Object.keys(settings).toSorted();
  if (names.length === 0) return [];
  const views = (await look?.()) ?? [];
  return names.flatMap((name) => {
    const server = settings[name];
    if (server === undefined) return [];
    const view = views.find((each) => each.name === name);
    return [...fileFindings(name, server, nowMs), ...(view === undefined ? [] : [engineFinding(view)])];
  });
}

// --- internal ---

const DAY_MS = 24 * 60 * 60 * 1000;
const SOON_DAYS = 14;

function fileFindings(server: string, { endpoint }: ServerSettings, nowMs: number): Finding[] {
  const name = `servers.${server}.certificate`;
  if (!("protocol" in endpoint)) return [];
  if (endpoint.protocol === "http") {
    if (isLoopback(endpoint.host)) return [];
    const found = "none: whoever reaches the engine commands it, and can read what it is told on the way";
    const advice = `give [servers.${server}] ca, cert and key, and the engine --tlsverify`;
    return [{ name, ok: false, required: false, found, advice }];
  }
  try {
    const days = Math.floor((readCertificates(endpoint.files, nowMs).expiresMs - nowMs) / DAY_MS);
    const ok = days >= SOON_DAYS;
    const advice = ok ? null : `renew ${endpoint.files.cert}; it is read with the next connection`;
    return [{ name, ok, required: false, found: `valid for ${days} more days`, advice }];
  } catch (error) {
    if (!isVoxError(error)) throw error;
    return [{ name, ok: false, required: true, found: error.message, advice: error.hint ?? null }];
  }
}

function engineFinding({ name: server, endpoint, reachable, version, error }: ServerView): Finding {
  return {
    name: `servers.${server}`,
    ok: reachable,
    required: true,
    found: reachable ? `docker ${version} at ${endpoint}` : (error ?? "it does not answer"),
    advice: reachable ? null : "its services go on, and can't be seen or changed from here until it answers",
  };
}
