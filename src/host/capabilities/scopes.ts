/**
 * What a scope may name, one row a capability, and what it covers: the only place that knows. A grant, a manifest's request, the
 * operator's ceiling and the target of a call are all compared here. Pure. Used by the families, by grant-rules.ts and by the manifest.
 */
import type { Capability } from "../../sdk/index.ts";
import { parseHostRule } from "./host-scope.ts";
import type { Caller } from "./method.ts";

export interface ScopeRule {
  readonly isEntry: (text: string) => boolean;
  /** Completes "wanted …". */
  readonly wanted: string;
  /** Whether all that `narrow` names is named by `wide` too. A target counts as an entry that names it alone. */
  readonly covers: (wide: string, narrow: string) => boolean;
}

export const SCOPES: Readonly<Record<Capability, ScopeRule>> = {
  fs_read: {
    isEntry: (text) => /^(files|backups)(\/|$)/.test(text) && isPath(text),
    wanted: 'a file or folder such as "files/reports" or "backups"',
    covers: isBelow,
  },
  fs_write: {
    isEntry: (text) => /^files(\/|$)/.test(text) && isPath(text),
    wanted: 'a file or folder such as "files/reports"',
    covers: isBelow,
  },
  network_outbound: {
    isEntry: (text) => parseHostRule(text) !== undefined,
    wanted: 'a host such as "hooks.slack.com", "*.slack.com" or "hooks.slack.com:443"',
    covers: coversHost,
  },
  docker_read: {
    isEntry: isName,
    wanted: '"all", or the name of a service',
    covers: (wide, narrow) => wide === "all" || wide === narrow,
  },
  docker_write: named("the name of a service"),
  secrets_read: {
    isEntry: (text) => /^(?:[a-z0-9][a-z0-9-]*\/)?(?:\*|[A-Za-z_]\w*)$/.test(text) && text !== "*",
    wanted: 'a name such as "API_KEY", "web/API_KEY", or "web/*" for all of a service',
    covers: coversSecret,
  },
  metrics_read: named("the name of a service"),
  logs_read: named("the name of a service"),
  notify_send: named("the name of a channel"),
};

/** Whether the caller's grant reaches this target: false where it has none. A null scope is the whole capability. */
export function inScope(caller: Pick<Caller, "grants">, capability: Capability, target: string): boolean {
  const scope = caller.grants.get(capability);
  if (scope === undefined) return false;
  return scope === null || scope.some((entry) => SCOPES[capability].covers(entry, target));
}

// --- internal ---

function named(wanted: string): ScopeRule {
  return { isEntry: isName, wanted, covers: (wide, narrow) => wide === narrow };
}

function isName(text: string): boolean {
  return /^[\w][\w.-]{0,99}$/.test(text);
}

function isPath(text: string): boolean {
  return text
    .split("/")
    .every((part) => part !== "" && part !== "." && part !== ".." && !/[\\\p{Cc}]/u.test(part));
}

function isBelow(wide: string, narrow: string): boolean {
  return wide === narrow || narrow.startsWith(`${wide}/`);
}

function coversHost(wide: string, narrow: string): boolean {
  const [outer, inner] = [parseHostRule(wide), parseHostRule(narrow)];
  if (outer === undefined || inner === undefined) return false;
  if (outer.port !== undefined && outer.port !== inner.port) return false;
  if (outer.host === inner.host) return outer.below === inner.below;
  return outer.below && inner.host.endsWith(`.${outer.host}`);
}

/** `NAME` is that name in every service. */
function coversSecret(wide: string, narrow: string): boolean {
  const [outer, inner] = [splitSecret(wide), splitSecret(narrow)];
  const isService = outer.service === undefined || outer.service === inner.service;
  return isService && (outer.name === "*" || outer.name === inner.name);
}

function splitSecret(text: string): { readonly service: string | undefined; readonly name: string } {
  const at = text.indexOf("/");
  return at < 0
    ? { service: undefined, name: text }
    : { service: text.slice(0, at), name: text.slice(at + 1) };
}
