/**
 * What a scope may name, one row a capability, and what it covers: the only place that knows. A grant, a manifest's request, the
 * operator's ceiling and the target of a call are all compared here. Pure. Used by the families, by grant-rules.ts and by the manifest.
 */
import type { GrantName } from "../../base/grant-names.ts";
import { parseHostRule, type HostRule } from "./host-scope.ts";

export interface ScopeRule {
  readonly isEntry: (text: string) => boolean;
  /** Completes "wanted …". */
  readonly wanted: string;
  /** Whether all that `narrow` names is named by `wide` too. A target counts as an entry that names it alone. */
  readonly covers: (wide: string, narrow: string) => boolean;
  /** What two entries have in common of which neither covers the other; undefined: nothing. */
  readonly common?: (a: string, b: string) => string | undefined;
  /** An entry that the whole capability does not reach: it must be asked for and granted by name. */
  readonly beyondWhole?: string;
}

export const SCOPES: Readonly<Record<GrantName, ScopeRule>> = {
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
    common: commonHost,
  },
  docker_read: {
    isEntry: isName,
    wanted: '"all", or the name of a service',
    covers: (wide, narrow) => wide === "all" || wide === narrow,
    // The whole is of voxeltron's own containers.
    beyondWhole: "all",
  },
  docker_write: named("the name of a service"),
  secrets_read: {
    isEntry: (text) => /^(?:[a-z0-9][a-z0-9-]*\/)?(?:\*|[A-Za-z_]\w*)$/.test(text) && text !== "*",
    wanted: 'a name such as "API_KEY", "web/API_KEY", or "web/*" for all of a service',
    covers: coversSecret,
    common: (a, b) => commonSecret(a, b) ?? commonSecret(b, a),
  },
  metrics_read: named("the name of a service"),
  logs_read: named("the name of a service"),
  notify_send: named("the name of a channel"),
  unsandboxed: {
    isEntry: () => false,
    wanted: "no scope: nothing limits an executable",
    covers: () => false,
  },
};

export type Scope = readonly string[] | null;

/** Whether a scope reaches all that an entry names. A null scope is the whole capability, and not what lies beyond it. */
export function reaches(capability: GrantName, scope: Scope, entry: string): boolean {
  if (scope === null) return entry !== SCOPES[capability].beyondWhole;
  return scope.some((each) => SCOPES[capability].covers(each, entry));
}

/** Whether the caller's grant reaches this target: false where it has none. */
export function inScope(caller: Granted, capability: GrantName, target: string): boolean {
  const scope = caller.grants.get(capability);
  return scope !== undefined && reaches(capability, scope, target);
}

// --- internal ---

interface Granted {
  readonly grants: ReadonlyMap<GrantName, Scope>;
}

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

/** `*.example.com:443` and `api.example.com`: `api.example.com:443`. */
function commonHost(a: string, b: string): string | undefined {
  const rules = [parseHostRule(a), parseHostRule(b)];
  const ports = [...new Set(rules.map((rule) => rule?.port).filter((port) => port !== undefined))];
  const [one, other] = rules.map((rule) => (rule === undefined ? "" : hostText(rule)));
  if (one === undefined || other === undefined || ports.length !== 1) return undefined;
  const host = coversHost(one, other) ? other : coversHost(other, one) ? one : undefined;
  return host === undefined ? undefined : `${host}:${ports[0]}`;
}

/** Of every port. */
function hostText({ host, below }: HostRule): string {
  return `${below ? "*." : ""}${host.includes(":") ? `[${host}]` : host}`;
}

/** `NAME` in every service, and all of one service. */
function commonSecret(name: string, all: string): string | undefined {
  const [everywhere, { service, name: star }] = [splitSecret(name), splitSecret(all)];
  return everywhere.service === undefined && star === "*" ? `${service}/${everywhere.name}` : undefined;
}

/** `NAME` is that name in every service. */
function coversSecret(wide: string, narrow: string): boolean {
  const [outer, inner] = [splitSecret(wide), splitSecret(narrow)];
  const isService = outer.service === undefined || outer.service === inner.service;
  const isAll = outer.name === "*" && outer.service !== undefined;
  return isService && (isAll || outer.name === inner.name);
}

function splitSecret(text: string): { readonly service: string | undefined; readonly name: string } {
  const at = text.indexOf("/");
  return at < 0
    ? { service: undefined, name: text }
    : { service: text.slice(0, at), name: text.slice(at + 1) };
}
