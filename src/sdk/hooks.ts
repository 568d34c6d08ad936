/** The events that exist, in one table: who may refuse, and what the operator reads about each. Pure data. */

/** `always`: a handler's failure stops the operation. `optional`: only where the manifest says `{ gate = true }`. */
export type GateRule = "always" | "optional" | "never";

export interface HookInfo {
  readonly gate: GateRule;
  readonly summary: string;
}

export const HOOKS = {
  on_deploy_start: { gate: "optional", summary: "a deploy begins" },
  on_deploy_success: { gate: "never", summary: "a deploy succeeded" },
  on_deploy_fail: { gate: "never", summary: "a deploy failed" },
  on_cert_renew: { gate: "never", summary: "a TLS certificate was renewed, or its renewal failed" },
  on_backup_complete: { gate: "never", summary: "a backup ended, well or badly" },
  on_alert: { gate: "never", summary: "an alert fired or resolved" },
  pre_create: { gate: "always", summary: "before a workspace is created" },
  post_create: { gate: "never", summary: "after a workspace was created" },
  pre_start: { gate: "always", summary: "before a workspace starts" },
  post_start: { gate: "never", summary: "after a workspace started" },
  pre_stop: { gate: "always", summary: "before a workspace stops" },
  post_stop: { gate: "never", summary: "after a workspace stopped" },
  pre_destroy: { gate: "always", summary: "before a workspace is destroyed" },
  post_destroy: { gate: "never", summary: "after a workspace was destroyed" },
} as const satisfies Record<string, HookInfo>;

export type HookName = keyof typeof HOOKS;

export const HOOK_NAMES = Object.keys(HOOKS) as readonly HookName[];

export function isHookName(name: string): name is HookName {
  return Object.hasOwn(HOOKS, name);
}
