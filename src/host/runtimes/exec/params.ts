/** An event as an executable's `execute` is told of it: the devbox plugin API's own fields, and all of the event in `data`. Pure. */
import { isObject } from "../../../base/is-object.ts";
import type { HookName } from "../../../sdk/index.ts";

export interface ExecuteParams {
  /** Of a service's event the service's name; empty where the event is of neither. */
  readonly workspace: string;
  readonly event: HookName;
  readonly server: string;
  readonly env: Readonly<Record<string, unknown>>;
  readonly data: unknown;
}

export function executeParams(hook: HookName, event: unknown): ExecuteParams {
  const { workspace, service, server, env } = isObject(event) ? event : {};
  return {
    workspace: textOf(workspace) ?? textOf(service) ?? "",
    event: hook,
    server: textOf(server) ?? "",
    env: isObject(env) ? env : {},
    data: event,
  };
}

/** The same where the event is delivered again. */
export function eventId(event: unknown): string | undefined {
  return isObject(event) ? textOf(event["id"]) : undefined;
}

// --- internal ---

function textOf(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}
