/**
 * Writes that a deploy failed: its row and `on_deploy_fail` in one transaction. What the disk refuses is kept and tried again,
 * because every failure must be told. Also finds the deploys that a daemon before this one left unfinished.
 * Called by deploys.ts, execute.ts, recover.ts and reconcile.ts.
 */
import { timestamp, type Clock } from "../../base/clock.ts";
import { messageOf } from "../../base/errors.ts";
import type { Log } from "../../base/log.ts";
import type { DeployRow } from "../../state/deploys.ts";
import type { ServiceState } from "../../state/service-state.ts";
import type { Events } from "../events/events.ts";
import { onLoopback } from "../providers/provider.ts";
import { LOCAL } from "../providers/providers.ts";
import { deployEvent, type DeployFacts } from "./deploy-event.ts";
import { decodeSpec } from "./service-spec.ts";

export interface Settlement {
  /** False where it could not be written yet. Never throws. */
  fail(failed: FailedDeploy): boolean;
  /** Tries again what could not be written; false where something still can't. */
  retry(): boolean;
  /** Marks every deploy that has no end as failed. At boot only, before any deploy begins. */
  failInterrupted(): readonly DeployRow[];
}

export interface FailedDeploy {
  readonly id: string;
  readonly facts: DeployFacts;
  readonly step: string;
  readonly error: string;
}

export interface SettlementDeps {
  readonly state: ServiceState;
  readonly events: Events;
  readonly hostOf: (server: string) => string;
  readonly clock: Clock;
  readonly log: Log;
}

export function makeSettlement({ state, events, hostOf, clock, log }: SettlementDeps): Settlement {
  const unwritten = new Map<string, FailedDeploy>();

  function write({ id, facts, step, error }: FailedDeploy): void {
    state.transaction(() => {
      const service = state.services.find(facts.service);
      const rolledBack =
        service !== undefined && service.currentVersion !== null && service.desired === "running";
      state.deploys.fail(id, error, timestamp(clock.now()));
      events.emit("on_deploy_fail", { ...deployEvent(facts, hostOf), error, step, rolledBack });
    });
  }

  function attempt(failed: FailedDeploy): boolean {
    try {
      write(failed);
      unwritten.delete(failed.id);
      return true;
    } catch (error) {
      unwritten.set(failed.id, failed);
      log.error("the failure of a deploy could not be written down; it will be tried again", {
        service: failed.facts.service,
        deploy: failed.id,
        error: messageOf(error),
      });
      return false;
    }
  }

  function retry(): boolean {
    for (const failed of unwritten.values()) attempt(failed);
    return unwritten.size === 0;
  }

  return {
    fail: attempt,
    retry,
    failInterrupted() {
      const rows = state.deploys.listRunning();
      for (const row of rows) attempt(interrupted(row, clock.now()));
      return rows;
    },
  };
}

/** What `on_deploy_fail` says about a deploy that ended with its daemon. */
export const INTERRUPTED = "the daemon stopped during the deploy";

// --- internal ---

function interrupted(row: DeployRow, nowMs: number): FailedDeploy {
  const spec = decodeSpec(row.spec);
  const facts = {
    service: row.service,
    version: row.version,
    spec,
    upstream: row.hostPort === null || spec.server !== LOCAL ? undefined : onLoopback(row.hostPort),
    durationMs: nowMs - Date.parse(row.startedAt),
  };
  return { id: row.id, facts, step: row.step, error: INTERRUPTED };
}
