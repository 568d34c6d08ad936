/** What `plugin.audit` and `plugin.calls` take and answer: one part of the table in operations.ts. */
import * as v from "valibot";

export const whichCalls = v.strictObject({
  /** Absent: all plugins. */
  name: v.optional(v.pipe(v.string(), v.maxLength(200))),
  /** RFC 3339. */
  since: v.optional(v.string()),
  /** Only what was refused for want of a grant that is wide enough. */
  deniedOnly: v.optional(v.boolean()),
});

/** What a plugin did with one method. */
const useView = v.object({
  plugin: v.string(),
  /** What opened it, or would have; null where a row stands for many. */
  capability: v.nullable(v.string()),
  method: v.string(),
  allowed: v.number(),
  /** For want of a grant that is wide enough. */
  denied: v.number(),
  /** Whatever else was no success. */
  failed: v.number(),
  firstAt: v.string(),
  lastAt: v.string(),
  /** The most frequent ones, of the calls that are kept one by one. */
  targets: v.array(v.object({ target: v.string(), calls: v.number() })),
  targetsInAll: v.number(),
});

/** A granted capability that was not used on so many days on which the daemon ran that it may be taken back. */
export const unusedView = v.object({
  plugin: v.string(),
  capability: v.string(),
  grantedAt: v.string(),
  lastUsedAt: v.nullable(v.string()),
  days: v.number(),
  command: v.string(),
});

export const auditCallView = v.object({
  at: v.string(),
  plugin: v.string(),
  method: v.string(),
  capability: v.nullable(v.string()),
  target: v.nullable(v.string()),
  /** `ok`, or the error's code. */
  outcome: v.string(),
  /** The hook, or other words for when. */
  during: v.nullable(v.string()),
  /** How many calls the line stands for. */
  times: v.number(),
});

export const auditAnswer = v.object({
  uses: v.array(useView),
  unused: v.array(unusedView),
  /** With `since`: plugins whose calls of that time are not all kept, and since when they are. */
  keptSince: v.array(v.object({ plugin: v.string(), at: v.string() })),
});

export type AuditAnswer = v.InferOutput<typeof auditAnswer>;
export type AuditCallView = v.InferOutput<typeof auditCallView>;
