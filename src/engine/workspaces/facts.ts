/** What services must know of workspaces: what is theirs. Composed by the daemon. */
import type { WorkspaceRows } from "../../state/workspaces.ts";
import type { ServiceDeps } from "../service-deps.ts";
import { decodeSpec } from "./workspace-spec.ts";

export function workspaceFacts(rows: Pick<WorkspaceRows, "hasInstance" | "list">): ServiceDeps["workspaces"] {
  return {
    hasInstance: (instance) => rows.hasInstance(instance),
    ports: (place) =>
      rows
        .list()
        .filter(({ server }) => server === place)
        .flatMap(({ spec }) => decodeSpec(spec).ports.map(({ outside }) => outside)),
  };
}
