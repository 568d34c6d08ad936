/** What the API says of services and of what they use. A part of the contract; called by operations.ts alone. */
import * as v from "valibot";

/** What an instance uses: the last look at it. Counters are since it was started; null where its provider can't tell. */
export const serviceUsage = v.object({
  at: v.string(),
  /** 100 is one core kept busy; null until it was measured twice. */
  cpuPercent: v.nullable(v.number()),
  cpuSeconds: v.number(),
  memoryBytes: v.number(),
  memoryLimitBytes: v.nullable(v.number()),
  networkRxBytes: v.nullable(v.number()),
  networkTxBytes: v.nullable(v.number()),
  blockReadBytes: v.nullable(v.number()),
  blockWriteBytes: v.nullable(v.number()),
  restarts: v.nullable(v.number()),
});

export const serviceView = v.object({
  name: v.string(),
  /** running · stopped · exited · restarting · missing · deploying · failed · unknown (its provider does not answer) */
  state: v.string(),
  provider: v.string(),
  /** `local`, or the name of the server. */
  server: v.string(),
  image: v.nullable(v.string()),
  version: v.nullable(v.number()),
  /** Where it can be reached: published address first, else where its instance is reached. */
  address: v.nullable(v.string()),
  domains: v.array(v.string()),
  /** null where nothing runs, or nothing was measured yet. */
  usage: v.nullable(serviceUsage),
});

export const serviceDetails = v.object({
  ...serviceView.entries,
  instance: v.nullable(v.string()),
  startedAt: v.nullable(v.string()),
  restarts: v.number(),
  /** Why its state is unknown. */
  problem: v.nullable(v.string()),
  port: v.nullable(v.number()),
  publish: v.nullable(v.string()),
  memoryBytes: v.nullable(v.number()),
  cpus: v.nullable(v.number()),
  volumes: v.array(v.string()),
  /** Newest first; those that are not live can be gone back to. */
  versions: v.array(
    v.object({ version: v.number(), image: v.string(), liveSince: v.string(), isLive: v.boolean() }),
  ),
  deploys: v.array(
    v.object({
      id: v.string(),
      version: v.number(),
      state: v.string(),
      step: v.string(),
      error: v.nullable(v.string()),
      startedAt: v.string(),
      endedAt: v.nullable(v.string()),
    }),
  ),
});

const text = v.pipe(v.string(), v.maxLength(200));

/** Without a service: the host. Times are RFC 3339, or so long ago ("90m"); the step is a duration. */
export const metricsQuestion = v.strictObject({
  service: v.optional(text),
  metric: text,
  from: v.optional(text),
  to: v.optional(text),
  step: v.optional(text),
  aggregate: v.optional(v.picklist(["avg", "max"])),
});

export const metricsAnswer = v.object({
  service: v.nullable(v.string()),
  metric: v.string(),
  unit: v.string(),
  from: v.string(),
  to: v.string(),
  stepMs: v.number(),
  points: v.array(v.tuple([v.string(), v.number()])),
});
