/**
 * Turns what a person wrote for `plugin call --event FILE` into an event, or says what is wrong with it. An event of the
 * engine's own never passes `parseEvent`: outbox.ts makes those. Called by the operation `plugin.call`.
 */
import * as v from "valibot";
import { fail } from "../../base/errors.ts";
import { isObject } from "../../base/is-object.ts";
import { didYouMean, quote } from "../../base/text.ts";
import type { EventBase, EventOf, HookName } from "../../sdk/index.ts";
import { EVENT_SCHEMAS, fieldsOf } from "./catalogue.ts";

/** What an event is given when it is made: who it is and when it happened. */
export type EventStamp = Pick<EventBase, "id" | "at">;

/**
 * The event that `value` describes. `id`, `hook` and `at` may be left out; every other field that the hook has must be there,
 * because a plugin never receives an event without it.
 *
 * Throws `event.invalid`, whose details name the `path` of the first bad field, what was `wanted` and what was `found`.
 */
export function parseEvent<H extends HookName>(hook: H, value: unknown, stamp: EventStamp): EventOf[H] {
  const candidate = isObject(value) ? { ...stamp, hook, ...value } : value;
  const checked = checkEvent(hook, candidate);
  if (checked.ok) return checked.event;
  const { path, wanted, found } = checked.fault;
  const where = path === "" ? "it" : quote(path);
  throw fail("event.invalid", `${where} in the ${hook} event: wanted ${wanted}, found ${found}`, {
    details: { hook, ...checked.fault },
    hint: "without --event a made-up event is used: voxeltron plugin call NAME HOOK",
  });
}

export type CheckedEvent<E> =
  | { readonly ok: true; readonly event: E }
  | { readonly ok: false; readonly fault: EventFault };

interface EventFault {
  /** Such as `domains.0`; empty for the event itself. */
  readonly path: string;
  readonly wanted: string;
  readonly found: string;
}

/** Holds `value` against the hook's schema. */
export function checkEvent<H extends HookName>(hook: H, value: unknown): CheckedEvent<EventOf[H]> {
  if (!isObject(value)) return { ok: false, fault: { path: "", wanted: "an object", found: foundBy(value) } };
  const schema: v.GenericSchema<unknown, EventOf[H]> = EVENT_SCHEMAS[hook];
  const result = v.safeParse(schema, value);
  if (result.success) return { ok: true, event: result.output };
  return { ok: false, fault: faultOf(hook, result.issues[0]) };
}

// --- internal ---

function faultOf(hook: HookName, issue: v.BaseIssue<unknown>): EventFault {
  const path = v.getDotPath(issue) ?? "";
  const found = foundBy(issue.path?.at(-1)?.value);
  if (issue.type !== "strict_object") return { path, wanted: issue.message, found };
  // Valibot reports a key too many and a key too few on the object around them.
  if (issue.expected !== "never") return { path, wanted: "a value", found };
  const meant = didYouMean(path, fieldsOf(hook));
  return {
    path,
    wanted: `no such field${meant === undefined ? "" : ` (did you mean ${quote(meant)}?)`}`,
    found,
  };
}

function foundBy(input: unknown): string {
  if (input === undefined) return "nothing";
  if (typeof input === "string") return quote(input);
  if (typeof input === "number" || typeof input === "boolean" || input === null) return `${input}`;
  return Array.isArray(input) ? "a list" : "an object";
}
