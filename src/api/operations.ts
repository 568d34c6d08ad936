/**
 * The contract between client and daemon: every operation with the schema of its input and output. `client.ts` and
 * `server.ts` are both made from this table, so an operation exists on both sides or on neither.
 * HTTP/1.1 on a Unix socket: `POST /v1/<operation>` with a JSON body. A `unary` operation answers one JSON document; a
 * `stream` operation answers NDJSON, one document a line, the last of which is `{"end":…}` or `{"error":…}`.
 */
import * as v from "valibot";
import { GRANT_NAMES } from "../base/grant-names.ts";
import { LIMITS } from "../base/limits.ts";
import { LOG_LEVELS } from "../base/log.ts";
import { HOOK_NAMES } from "../sdk/index.ts";
import { auditAnswer, auditCallView, whichCalls } from "./audit-views.ts";
import { certificateView } from "./cert-views.ts";
import { candidateView, dropInFolder, pluginDetails, pluginView } from "./plugin-views.ts";
import {
  metricsAnswer,
  metricsQuestion,
  serviceDetails,
  serviceUsage,
  serviceView,
} from "./service-schemas.ts";
import { name, none, outputChunk, outputStream, stream, texts, unary, workProgress } from "./operation.ts";
import { workspaceOperations } from "./workspace-operations.ts";
import type { workspaceDetails, workspaceView } from "./workspace-schemas.ts";

const capability = v.picklist(GRANT_NAMES);
const hook = v.picklist(HOOK_NAMES);
const scope = v.array(v.string());

const logView = v.object({
  at: v.string(),
  level: v.string(),
  text: v.string(),
  fields: v.optional(v.record(v.string(), v.unknown())),
});

const deliveryView = v.object({
  plugin: v.string(),
  state: v.string(),
  attempts: v.number(),
  error: v.nullable(v.string()),
});

const eventView = v.object({
  id: v.string(),
  hook: v.string(),
  at: v.string(),
  data: v.record(v.string(), v.unknown()),
  deliveries: v.array(deliveryView),
});

const alertView = v.object({
  name: v.string(),
  /** A service, a plugin, a channel, a domain; empty for the host. */
  subject: v.string(),
  service: v.nullable(v.string()),
  state: v.picklist(["firing", "resolved"]),
  metric: v.string(),
  /** When it began. */
  value: v.number(),
  threshold: v.number(),
  message: v.string(),
  since: v.string(),
  changedAt: v.string(),
  silencedUntil: v.nullable(v.string()),
});

/** What `voxeltron deploy` sends. What is absent is taken from the version that runs now. */
const deployInput = v.strictObject({
  service: name,
  image: v.optional(v.string()),
  upload: v.optional(v.string()),
  /** In the uploaded folder; absent: `Dockerfile`, where it has one. */
  dockerfile: v.optional(v.string()),
  buildArgs: v.optional(texts),
  command: v.optional(v.string()),
  port: v.optional(v.number()),
  publish: v.optional(v.string()),
  domains: v.optional(v.array(v.string())),
  env: v.optional(texts),
  volumes: v.optional(v.array(v.string())),
  memory: v.optional(v.string()),
  cpus: v.optional(v.number()),
  restart: v.optional(v.string()),
  provider: v.optional(v.string()),
  /** `local`, or a name of the configuration. */
  server: v.optional(v.string()),
  health: v.optional(v.string()),
  healthTimeoutMs: v.optional(v.number()),
  detach: v.optional(v.boolean()),
});

const deployEnd = v.object({
  deploy: v.string(),
  service: v.string(),
  version: v.number(),
  image: v.string(),
  address: v.nullable(v.string()),
  durationMs: v.number(),
  detached: v.boolean(),
});

const serverView = v.object({
  /** `local`, or the name in the configuration. */
  name: v.string(),
  endpoint: v.string(),
  /** Where its instances are reached from the daemon's machine. */
  address: v.string(),
  reachable: v.boolean(),
  version: v.nullable(v.string()),
  apiVersion: v.nullable(v.string()),
  /** Why it is not reachable. */
  error: v.nullable(v.string()),
});

const serviceLogLine = v.object({
  at: v.string(),
  /** As far as the line's own text says; otherwise by its stream. */
  level: v.string(),
  stream: outputStream,
  text: v.string(),
  version: v.number(),
});

/** Of plugin processes. `unconfined`: nothing confines them, and the operator allows it; `unavailable`: they are not started. */
const confinementStatus = v.object({
  state: v.picklist(["confined", "unconfined", "unavailable"]),
  missing: v.array(v.string()),
});

/** What `doctor` finds. A finding that is not `ok` and `required` makes the whole not `ok`. */
const examination = v.object({
  ok: v.boolean(),
  uid: v.number(),
  unit: v.nullable(v.string()),
  findings: v.array(
    v.object({
      name: v.string(),
      ok: v.boolean(),
      required: v.boolean(),
      found: v.string(),
      advice: v.nullable(v.string()),
    }),
  ),
  notTested: v.array(v.string()),
});

const source = v.union([
  v.strictObject({ upload: v.string() }),
  v.strictObject({ embedded: name }),
  /** An absolute path on the daemon's machine, whose changes are taken over from then on. */
  v.strictObject({ link: v.string() }),
  /** What lies under that name in the folders of drop-ins. */
  v.strictObject({ dropIn: name }),
  v.strictObject({ installed: name }),
]);
const grantRequest = v.strictObject({ capability, scope: v.optional(scope) });

export const operations = {
  "daemon.info": unary(
    none,
    v.object({
      version: v.string(),
      pid: v.number(),
      dataDir: v.string(),
      startedAt: v.string(),
      confinement: confinementStatus,
    }),
  ),
  "daemon.doctor": unary(none, examination),

  "plugin.inspect": unary(v.strictObject({ source }), candidateView),
  "plugin.install": unary(
    v.strictObject({
      source,
      /** The digest that was consented to: what changed in between is refused with plugin.changed. */
      digest: v.string(),
      grants: v.array(grantRequest),
      isolation: v.optional(v.picklist(["worker", "process"])),
    }),
    pluginView,
  ),
  /** The next state of an installed plugin. What was granted carries over; consent.needed where it asks for anything else. */
  "plugin.reload": unary(
    v.strictObject({ name, upload: v.string() }),
    v.object({
      ...pluginView.entries,
      /** False where exactly that was there before. */
      changed: v.boolean(),
    }),
  ),
  /** `to`: a version or the beginning of a digest; absent: the version that was replaced last. */
  "plugin.rollback": unary(v.strictObject({ name, to: v.optional(name) }), pluginView),
  /** What is installed, what was dropped into a folder, then what is built in. */
  "plugin.list": unary(
    none,
    v.object({
      plugins: v.array(pluginView),
      /** Where drop-ins are looked for; the first that has a name decides what it is. */
      folders: v.optional(v.array(dropInFolder), []),
    }),
  ),
  "plugin.info": unary(v.strictObject({ name }), pluginDetails),
  /** `folder`: of a drop-in, which is removed too. */
  "plugin.remove": unary(
    v.strictObject({ name, force: v.optional(v.boolean()) }),
    v.object({ folder: v.nullable(v.string()) }),
  ),
  /** Throws consent.needed for a drop-in to which nobody consented, or not as it is now: that takes an install of it. */
  "plugin.enable": unary(v.strictObject({ name }), pluginView),
  "plugin.disable": unary(v.strictObject({ name }), pluginView),
  "plugin.grant": unary(v.strictObject({ name, capability, scope: v.optional(scope) }), pluginDetails),
  "plugin.revoke": unary(v.strictObject({ name, capability }), pluginDetails),
  "plugin.logs": stream(v.strictObject({ name, follow: v.boolean(), limit: v.number() }), logView, none),
  "plugin.audit": unary(whichCalls, auditAnswer),
  "plugin.calls": stream(
    v.strictObject({ ...whichCalls.entries, follow: v.boolean(), limit: v.number() }),
    auditCallView,
    none,
  ),
  "plugin.call": unary(
    v.strictObject({ name, hook, event: v.optional(v.record(v.string(), v.unknown())) }),
    v.object({ result: v.unknown(), durationMs: v.number(), logs: v.array(logView) }),
  ),

  "deploy.run": stream(deployInput, workProgress, deployEnd),
  /** `to`: a version that is kept; absent: the newest one before the one that runs. */
  "deploy.rollback": stream(
    v.strictObject({
      service: name,
      to: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1))),
      detach: v.optional(v.boolean()),
    }),
    workProgress,
    deployEnd,
  ),
  "deploy.cancel": unary(v.strictObject({ service: name }), none),

  "service.list": unary(none, v.object({ services: v.array(serviceView) })),
  "service.info": unary(v.strictObject({ name }), serviceDetails),
  "service.logs": stream(
    v.strictObject({
      name,
      /** Then what comes, from every version, until the service is removed. */
      follow: v.boolean(),
      /** The last so many; absent: all that is kept. */
      lines: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0))),
      /** RFC 3339, or how long ago: `10m`. */
      since: v.optional(v.string()),
      until: v.optional(v.string()),
      /** Plain text that stands in the line. */
      search: v.optional(v.pipe(v.string(), v.maxLength(LIMITS.logSearchChars))),
      ignoreCase: v.optional(v.boolean()),
      /** This level and what is more serious. */
      level: v.optional(v.picklist(LOG_LEVELS)),
      stream: v.optional(outputStream),
    }),
    serviceLogLine,
    none,
  ),
  "service.stop": unary(v.strictObject({ name }), serviceView),
  "service.start": unary(v.strictObject({ name }), serviceView),
  "service.remove": unary(v.strictObject({ name, abandon: v.optional(v.boolean()) }), none),
  "service.exec": stream(
    v.strictObject({ name, command: v.array(v.string()), stdin: v.optional(v.string()) }),
    outputChunk,
    v.object({ exitCode: v.number() }),
  ),
  /** Without a service: the host. Times are RFC 3339, or so long ago ("90m"); the step is a duration. */
  "metrics.query": unary(metricsQuestion, metricsAnswer),
  "env.list": unary(v.strictObject({ name }), v.object({ env: v.record(v.string(), v.string()) })),
  "env.set": unary(v.strictObject({ name, env: texts }), none),
  "env.unset": unary(v.strictObject({ name, keys: v.array(v.string()) }), none),

  ...workspaceOperations,

  /** The service need not exist yet. */
  "secret.set": unary(
    v.strictObject({ service: name, name, value: v.string() }),
    v.object({
      /** False where the service is yet to be deployed. */
      isDeployed: v.boolean(),
      /** False where the value is too short to be told from other text in logs. */
      isRedacted: v.boolean(),
    }),
  ),
  "secret.list": unary(
    v.strictObject({ service: v.optional(name) }),
    v.object({
      secrets: v.array(v.object({ service: v.string(), name: v.string(), updatedAt: v.string() })),
    }),
  ),
  "secret.unset": unary(v.strictObject({ service: name, names: v.array(name) }), none),
  /** `sealed`: how many secrets and passwords are under the new key. */
  "secret.rotate": unary(none, v.object({ sealed: v.number() })),

  /** Of the domains of live services, where anything is served over TLS. */
  "cert.list": unary(none, v.object({ certificates: v.array(certificateView) })),
  /** Tries now: one domain, or all that have no certificate, are due or failed. A line for each, when it is through. */
  "cert.renew": stream(v.strictObject({ domain: v.optional(name) }), certificateView, none),

  "event.list": unary(
    v.strictObject({ limit: v.number(), hook: v.optional(hook) }),
    v.object({ events: v.array(eventView) }),
  ),
  "event.follow": stream(v.strictObject({ hook: v.optional(hook) }), eventView, none),
  "event.replay": unary(v.strictObject({ id: v.string() }), eventView),

  /** Names and types only: the rest of a channel is secret. */
  "notify.list": unary(
    none,
    v.object({ channels: v.array(v.object({ name: v.string(), type: v.string() })) }),
  ),
  /** Sends a message that says that it is a test; answers when the channel's endpoint has accepted it. */
  "notify.test": unary(
    v.strictObject({ channel: name }),
    v.object({
      channel: v.string(),
      type: v.string(),
      attempts: v.number(),
      /** Recipients of a mail that the server refused, where it took others. */
      refused: v.number(),
    }),
  ),

  /** This machine's engine and those of `[servers]`, each asked now; this takes some seconds where one does not answer. */
  "server.list": unary(none, v.object({ servers: v.array(serverView) })),
  /** What fires; with `all` also what is over. */
  "alert.list": unary(
    v.strictObject({ all: v.optional(v.boolean()) }),
    v.object({ alerts: v.array(alertView) }),
  ),
  /** Of one thing that the alert is about, or of all; `duration`: how long, such as `2h`, or `off`. */
  "alert.silence": unary(
    v.strictObject({ name, subject: v.optional(name), duration: v.string() }),
    v.object({ name: v.string(), subject: v.string(), until: v.nullable(v.string()) }),
  ),
  /** Sends a message that says that it is a test to the channels of the alert; answers when they have taken it. */
  "alert.test": unary(v.strictObject({ name }), v.object({ channels: v.array(v.string()) })),

  "registry.login": unary(v.strictObject({ host: name, username: v.string(), password: v.string() }), none),
  "registry.list": unary(
    none,
    v.object({ registries: v.array(v.object({ host: v.string(), username: v.string() })) }),
  ),
  "registry.logout": unary(v.strictObject({ host: name }), none),
} as const;

type Operations = typeof operations;
export type OperationName = keyof Operations;
export type UnaryName = {
  [N in OperationName]: Operations[N]["mode"] extends "unary" ? N : never;
}[OperationName];
export type StreamName = Exclude<OperationName, UnaryName>;

export type Input<N extends OperationName> = v.InferOutput<Operations[N]["input"]>;
export type Output<N extends OperationName> = v.InferOutput<Operations[N]["output"]>;
export type Item<N extends StreamName> = v.InferOutput<Operations[N]["item"]>;

export type PluginView = v.InferOutput<typeof pluginView>;
export type PluginDetails = v.InferOutput<typeof pluginDetails>;
export type CandidateView = v.InferOutput<typeof candidateView>;
export type Examination = v.InferOutput<typeof examination>;
export type ConfinementStatus = v.InferOutput<typeof confinementStatus>;
export type CertificateView = v.InferOutput<typeof certificateView>;
export type EventView = v.InferOutput<typeof eventView>;
export type ServiceView = v.InferOutput<typeof serviceView>;
export type ServiceDetails = v.InferOutput<typeof serviceDetails>;
export type ServiceUsage = v.InferOutput<typeof serviceUsage>;
export type WorkspaceView = v.InferOutput<typeof workspaceView>;
export type WorkspaceDetails = v.InferOutput<typeof workspaceDetails>;
export type MetricsAnswer = Output<"metrics.query">;
export type AlertView = v.InferOutput<typeof alertView>;
export type LogView = v.InferOutput<typeof logView>;

export type UploadKind = "plugin" | "app";

/** What `POST /v1/upload?kind=plugin|app` (body: a tar stream) answers; the id is good for ten minutes and one use. */
export type UploadAnswer = { readonly upload: string; readonly files: number; readonly bytes: number };
