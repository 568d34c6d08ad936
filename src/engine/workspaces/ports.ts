/**
 * The host's ports that workspaces ask for. Two workspaces may have the same one, as long as they don't run at the same time. Called by
 * create.ts and work.ts.
 */
import { fail } from "../../base/errors.ts";
import type { WorkspaceRow } from "../../state/workspaces.ts";
import { LOCAL } from "../providers/providers.ts";
import type { WorkspaceDeps } from "./workspace-deps.ts";
import { decodeSpec, type WorkspaceSpec } from "./workspace-spec.ts";

/** Throws `workspace.port_taken` for one that a service has for itself. */
export function checkPortsOwn(server: string, spec: WorkspaceSpec, { serviceAt }: WorkspaceDeps): void {
  if (server !== LOCAL) return;
  for (const { outside } of spec.ports) {
    const service = serviceAt(outside);
    if (service !== undefined) throw taken(outside, `the service ${service}`);
  }
}

/** Throws `workspace.port_taken` where something listens there. Of other machines only they themselves can tell. */
export function checkPortsFree(row: WorkspaceRow, spec: WorkspaceSpec, deps: WorkspaceDeps): void {
  if (row.server !== LOCAL) return;
  const busy = spec.ports.find(({ outside }) => !deps.isPortFree(outside));
  if (busy === undefined) return;
  const other = deps.rows
    .list()
    .find(
      (each) =>
        each.name !== row.name &&
        each.desired === "running" &&
        each.server === LOCAL &&
        has(each, busy.outside),
    );
  throw taken(busy.outside, other === undefined ? "something else" : `the workspace ${other.name}`);
}

// --- internal ---

function has({ spec }: WorkspaceRow, port: number): boolean {
  return decodeSpec(spec).ports.some(({ outside }) => outside === port);
}

function taken(port: number, by: string): Error {
  return fail("workspace.port_taken", `the port 127.0.0.1:${port} is taken by ${by}`, {
    hint: "stop what has it, or make the workspace anew with another port",
    details: { port },
  });
}
