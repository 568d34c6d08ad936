/**
 * Where a plugin may send a request with notify_send alone: the addresses at which well-known services take messages, and
 * the webhooks that the operator configured. Each row is as narrow as its service allows: a place that takes a message and
 * serves nothing else. Automation services (Zapier, IFTTT, Power Automate) are left out on purpose: their hooks start
 * anything. An operator who uses one writes it down as a channel. Pure. Used by reach.ts.
 */
import { parseTarget, type Target } from "../../platform/http/target.ts";

/** A channel of the operator's that is a URL. The URL is a secret. */
export interface OwnEndpoint {
  readonly channel: string;
  readonly url: string;
}

/** A well-known endpoint: over https on its own port, by POST. */
export function isPublicEndpoint(target: Target, method: string): boolean {
  return (
    method === "POST" &&
    target.scheme === "https" &&
    target.port === 443 &&
    PUBLIC.some(({ host, path }) => host.test(target.host) && path.test(target.pathname))
  );
}

/** One of the operator's own: the same origin and path; the query is the caller's. */
export function isOwnEndpoint(target: Target, endpoints: readonly OwnEndpoint[]): boolean {
  return endpoints.some(({ url }) => {
    const own = parseTarget(url);
    return own.origin === target.origin && own.pathname === target.pathname;
  });
}

// --- internal ---

const PUBLIC: readonly { readonly host: RegExp; readonly path: RegExp }[] = [
  // Slack: incoming webhooks and workflow triggers.
  { host: /^hooks\.slack(?:-gov)?\.com$/, path: /^\/(?:services|workflows|triggers)\/./ },
  // Discord: webhooks, with or without an API version, also of the test builds.
  { host: /^(?:(?:canary|ptb)\.)?discord(?:app)?\.com$/, path: /^\/api\/(?:v\d+\/)?webhooks\/./ },
  // Microsoft Teams: connectors, old and new domain.
  { host: /^outlook\.office(?:365)?\.com$/, path: /^\/webhook\/./ },
  { host: /^[a-z0-9-]+\.webhook\.office\.com$/, path: /^\/webhookb2\/./ },
  // Google Chat: messages into a space.
  { host: /^chat\.googleapis\.com$/, path: /^\/v1\/spaces\/[^/]+\/messages$/ },
  // Telegram: only what sends; reading updates is not notifying.
  { host: /^api\.telegram\.org$/, path: /^\/bot[^/]+\/send[A-Za-z]+$/ },
  // Paging: new events and alerts.
  { host: /^events\.(?:eu\.)?pagerduty\.com$/, path: /^\/v2\/enqueue$/ },
  { host: /^api\.(?:eu\.)?opsgenie\.com$/, path: /^\/v2\/alerts$/ },
  { host: /^api\.pushover\.net$/, path: /^\/1\/messages\.json$/ },
];
