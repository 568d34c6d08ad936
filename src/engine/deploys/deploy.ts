/** One deploy under way: what was decided, and what its steps have found out so far. Made by begin.ts, carried on by
 * execute.ts and steps.ts. */
import type { Hold } from "../busy.ts";
import type { InstanceSpec, Upstream } from "../providers/provider.ts";
import type { DeployFacts } from "./deploy-event.ts";
import type { Plan } from "./plan.ts";

export interface Deploy {
  readonly plan: Plan;
  readonly version: number;
  /** Monotonic. */
  readonly startedMs: number;
  readonly signal: AbortSignal;
  readonly hold: Hold;
  /** Settles when the gates have answered. */
  readonly gates: Promise<unknown>;
  readonly progress: (progress: DeployProgress) => void;
  /** With the exact image, once that is known. */
  instance: InstanceSpec;
  exactImage: string;
  /** Where it is reached, once that is known. */
  upstream: Upstream | undefined;
  step: string;
  /** The provider was asked to make the instance: there may be something to undo. */
  created: boolean;
  /** The new version is live, and the deploy succeeded whatever comes. */
  switched: boolean;
}

export interface DeployProgress {
  readonly step: string;
  readonly text: string;
  readonly percent?: number;
}

/** What `deploy.run` ends with. */
export interface DeployEnd {
  readonly deploy: string;
  readonly service: string;
  readonly version: number;
  readonly image: string;
  readonly address: string | null;
  readonly durationMs: number;
  readonly detached: boolean;
}

export function factsOf(deploy: Deploy, nowMs: number): DeployFacts {
  const { plan, version, upstream, startedMs } = deploy;
  return {
    service: plan.service,
    version,
    spec: plan.spec,
    upstream,
    durationMs: nowMs - startedMs,
  };
}
