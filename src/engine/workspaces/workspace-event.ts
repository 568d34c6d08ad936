/** The fields of the eight events of a workspace. Pure. Called by journal.ts. */
import type { HookName } from "../../sdk/index.ts";
import type { WorkspacePhase, WorkspaceRow } from "../../state/workspaces.ts";
import type { EventData } from "../events/events.ts";
import { decodeSpec } from "./workspace-spec.ts";

export type Side = "pre" | "post";
export type WorkspaceHook = Extract<HookName, `${Side}_${WorkspacePhase}`>;

/** `server`: as plugins know it, `local` or the host of another machine. */
export function workspaceEvent(
  hook: WorkspaceHook,
  row: Pick<WorkspaceRow, "name" | "provider" | "spec">,
  server: string,
): EventData<"pre_create"> {
  const { image = "", env } = decodeSpec(row.spec);
  return { workspace: row.name, event: hook, server, env, provider: row.provider, image };
}
