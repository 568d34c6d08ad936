/**
 * How far a workspace has come, and who is told: the gate is asked before anything is written; a phase is on disk before a provider is
 * asked for anything; its end, the new state and the event that tells of it are one transaction. So a daemon that is killed at any
 * point leaves a row from which the next one can go on. Called by the four actions and recover.ts.
 */
import { toWire } from "../../base/errors.ts";
import { LIMITS } from "../../base/limits.ts";
import { printable } from "../../base/text.ts";
import type { WorkspaceChanges, WorkspacePhase, WorkspaceRow } from "../../state/workspaces.ts";
import type { WorkspaceDeps } from "./workspace-deps.ts";
import { workspaceEvent } from "./workspace-event.ts";

export interface Journal {
  /** `pre_…`: throws `gate.refused`, and nothing has happened. */
  ask(phase: WorkspacePhase, row: WorkspaceRow, signal: AbortSignal): Promise<void>;
  /** What was to be done next is what is done now. */
  enter(row: WorkspaceRow, phase: WorkspacePhase): void;
  /** Done, and `post_…`. */
  finish(row: WorkspaceRow, phase: WorkspacePhase, changes: WorkspaceChanges): void;
  /** Not done, and nothing of it is under way any more. */
  giveUp(row: WorkspaceRow, error: unknown): void;
  /** It was never made. */
  drop(row: WorkspaceRow): void;
  /** The workspace is gone. */
  forget(row: WorkspaceRow): void;
}

export function makeJournal({ rows, events, hostOf, redaction }: WorkspaceDeps): Journal {
  function tell(phase: WorkspacePhase, row: WorkspaceRow): void {
    const hook = `post_${phase}` as const;
    events.emit(hook, workspaceEvent(hook, row, hostOf(row.server)));
  }

  return {
    async ask(phase, row, signal) {
      const hook = `pre_${phase}` as const;
      await events.announce(hook, workspaceEvent(hook, row, hostOf(row.server)), signal);
    },
    enter: (row, phase) => rows.change(row.name, { phase, next: null, error: null }),
    finish: (row, phase, changes) =>
      rows.transaction(() => {
        rows.change(row.name, { phase: null, error: null, ...changes });
        tell(phase, row);
      }),
    giveUp(row, error) {
      const text = printable(redaction.all(toWire(error).message), LIMITS.errorTextChars);
      rows.change(row.name, { phase: null, next: null, error: text });
    },
    drop: (row) => rows.remove(row.name),
    forget: (row) =>
      rows.transaction(() => {
        rows.remove(row.name);
        tell("destroy", row);
      }),
  };
}
