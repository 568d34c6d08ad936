/** A workspace as people read it. */
import type { WorkspaceDetails, WorkspaceView } from "../api/operations.ts";
import { commandText } from "../base/command-text.ts";
import { formatBytes, printable } from "../base/text.ts";
import { facts, table } from "./output.ts";

/** "running", or what it should be and what became of it: "running (stopped outside)". */
export function standingText({ state, desired, drift }: WorkspaceView): string {
  return drift === null ? state : `${desired} (${drift})`;
}

export function workspaceLine(workspace: WorkspaceView): string {
  const reached = workspace.state === "running" ? portsText(workspace) : "";
  const at = reached === "" ? "" : `, ${reached}`;
  return `${printable(workspace.name)} is ${printable(standingText(workspace))}${printable(at)}\n`;
}

export function workspaceTable(workspaces: readonly WorkspaceView[]): string {
  const rows = workspaces.map((workspace) => [
    workspace.name,
    standingText(workspace),
    workspace.provider,
    workspace.server,
    workspace.image,
    portsText(workspace),
  ]);
  return table(["NAME", "STATE", "PROVIDER", "SERVER", "IMAGE", "PORTS"], rows, "there are no workspaces");
}

/** Values of variables may be secrets: a terminal gets their names. */
export function workspaceFacts(workspace: WorkspaceDetails): string {
  return facts([
    ["name", workspace.name],
    ["state", standingText(workspace)],
    ["detail", workspace.detail],
    ["exit status", workspace.state === "running" ? null : workspace.exitCode],
    ["last error", workspace.error],
    ["provider", workspace.provider],
    ["server", workspace.server],
    ["image", workspace.image],
    ["command", workspace.command === null ? null : commandText(workspace.command)],
    ["ports", portsText(workspace)],
    ["variables", Object.keys(workspace.env).join(", ")],
    ["memory", workspace.memoryBytes === null ? null : formatBytes(workspace.memoryBytes)],
    ["cpus", workspace.cpus],
    ["volumes", workspace.volumes.join(", ")],
    ["instance", workspace.instance],
    ["created", workspace.createdAt],
    ["started", workspace.startedAt],
    ["restarts", workspace.restarts === 0 ? null : workspace.restarts],
  ]);
}

// --- internal ---

/** "app at 127.0.0.1:8080, 3000 at 127.0.0.1:8081". */
function portsText({ ports, server }: WorkspaceView): string {
  return ports
    .map(({ key, outside, address }) => `${key} at ${address ?? `127.0.0.1:${outside} of ${server}`}`)
    .join(", ");
}
