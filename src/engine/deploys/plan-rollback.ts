/**
 * Decides everything about going back to a version that is kept: a new version with the image or folder, the settings and the variables
 * of that one. What has become a secret since stays one. Creates nothing. Called by deploys.ts.
 */
import { fail } from "../../base/errors.ts";
import { quote } from "../../base/text.ts";
import type { VersionRow } from "../../state/versions.ts";
import { findLive } from "../live.ts";
import type { ServiceDeps } from "../service-deps.ts";
import { checkSpec, type Plan } from "./plan.ts";
import { decodeSpec, isImage } from "./service-spec.ts";

export interface RollbackRequest {
  readonly service: string;
  /** Absent: the newest one that is older than what runs. */
  readonly to?: number | undefined;
}

/** Throws `service.not_found`, `version.not_found`, `provider.*`, `deploy.port_taken`, `deploy.domain_taken`. */
export function makeRollbackPlan(id: string, { service, to }: RollbackRequest, deps: ServiceDeps): Plan {
  const { state } = deps;
  const row = state.services.find(service);
  if (row === undefined) throw fail("service.not_found", `no service is called ${quote(service)}`);
  const target = choose(service, to, row.currentVersion, state.versions.list(service));
  const then = decodeSpec(target.spec);
  const secrets = new Set(state.secrets.list(service).map(({ name }) => name));
  const env = Object.fromEntries(Object.entries(then.env).filter(([name]) => !secrets.has(name)));
  const spec = { ...then, env };
  const provider = deps.providers.of(spec);
  checkSpec(service, spec, deps);
  return {
    id,
    service,
    spec,
    provider,
    previous: findLive(state, row),
    env: { kind: "replace", values: env },
    upload: undefined,
    exactImage: isImage(spec.source) ? target.image : undefined,
  };
}

// --- internal ---

function choose(
  service: string,
  to: number | undefined,
  current: number | null,
  kept: readonly VersionRow[],
): VersionRow {
  const others = kept.filter(({ version }) => version !== current);
  const chosen = others.find(({ version }) => (to === undefined ? version < (current ?? 0) : version === to));
  if (chosen !== undefined) return chosen;
  const numbers = others.map(({ version }) => version).join(", ");
  throw fail("version.not_found", missing(service, to, current), {
    hint: numbers === "" ? "no other version is kept" : `versions that are kept: ${numbers}`,
  });
}

function missing(service: string, to: number | undefined, current: number | null): string {
  if (to === undefined) return `no older version of ${service} is kept`;
  return to === current
    ? `version ${to} of ${service} is the one that runs`
    : `version ${to} of ${service} is not kept`;
}
