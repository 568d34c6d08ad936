/**
 * A made-up event for each hook, such as a real one could be: what `plugin call` sends where the author gives none.
 * Called by the operation `plugin.call`, and by `plugin check`. The id is the caller's, so that a plugin which remembers ids sees a new event.
 */
import { timestamp } from "../../base/clock.ts";
import type { EventOf, HookName } from "../../sdk/index.ts";
import type { EventData } from "./events.ts";
import type { EventStamp } from "./parse-event.ts";

/** A complete event of the hook. */
export function sampleEvent<H extends HookName>(hook: H, stamp: EventStamp): EventOf[H] {
  const data: EventData<H> = SAMPLES[hook](stamp);
  // Object spread over a type parameter loses its type; SAMPLES holds the proof for each hook.
  return { ...data, ...stamp, hook } as unknown as EventOf[H];
}

// --- internal ---

const DAY_MS = 24 * 60 * 60 * 1000;

const DEPLOY = {
  service: "web",
  domain: "web.example.com",
  domains: ["web.example.com", "www.example.com"],
  image: "registry.example.com/web:1.4.2",
  version: 7,
  provider: "docker",
  server: "local",
} as const;

const SAMPLES: { readonly [H in HookName]: (stamp: EventStamp) => EventData<H> } = {
  on_deploy_start: () => ({ ...DEPLOY, durationMs: 0 }),
  on_deploy_success: () => ({ ...DEPLOY, durationMs: 8_420 }),
  on_deploy_fail: () => ({
    ...DEPLOY,
    durationMs: 61_307,
    error: "GET /healthz answered 503 for 60 s",
    step: "health",
    rolledBack: true,
  }),
  on_cert_renew: ({ at }) => ({
    domain: "web.example.com",
    ok: true,
    issuer: "Example CA R3",
    notAfter: shifted(at, 90 * DAY_MS),
  }),
  on_backup_complete: () => ({
    target: "s3://backups/voxeltron",
    kind: "scheduled",
    ok: true,
    bytes: 48_318_464,
    durationMs: 12_950,
  }),
  on_alert: ({ at }) => ({
    name: "high-cpu",
    state: "firing",
    metric: "cpu_percent",
    value: 93.5,
    threshold: 90,
    service: "web",
    since: shifted(at, -5 * 60 * 1000),
    message: "cpu_percent of web was above 90 for 5 minutes",
  }),
  pre_create: () => workspace("pre_create"),
  post_create: () => workspace("post_create"),
  pre_start: () => workspace("pre_start"),
  post_start: () => workspace("post_start"),
  pre_stop: () => workspace("pre_stop"),
  post_stop: () => workspace("post_stop"),
  pre_destroy: () => workspace("pre_destroy"),
  post_destroy: () => workspace("post_destroy"),
};

function workspace(hook: HookName): EventData<"pre_create"> {
  return {
    workspace: "shop",
    event: hook,
    server: "local",
    env: { APP_ENV: "development" },
    provider: "docker",
    image: "node:22-bookworm",
  };
}

function shifted(at: string, ms: number): string {
  return timestamp(Date.parse(at) + ms);
}
