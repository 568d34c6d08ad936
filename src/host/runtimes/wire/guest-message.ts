/**
 * Reads a message from a guest. Everything in it may be a plugin's doing, so it is checked as if it came from the network: an
 * unknown shape is the end of that room. Called by room-body.ts.
 */
import * as v from "valibot";
import { isObject } from "../../../base/is-object.ts";
import { LOG_LEVELS } from "../../../base/log.ts";
import { LIMITS } from "../../../base/limits.ts";
import { measureJson } from "./json-shape.ts";

export type GuestMessage = v.InferOutput<GuestSchema>;

/** Undefined where it is no message of ours. */
export function parseGuestMessage(data: unknown): GuestMessage | undefined {
  if (typeof data !== "string" || data.length > LIMITS.messageBytes || !isCheap(data)) return undefined;
  const message = readJson(data);
  if (!isObject(message)) return undefined;
  const parsed = v.safeParse(schemaFor(message), message, { abortEarly: true });
  return parsed.success ? parsed.output : undefined;
}

// --- internal ---

/** A body's bounds, and some for what stands around it. */
const SHAPE_MOST = { values: LIMITS.messageValues + 10, depth: LIMITS.messageDepth + 10 };

/** Parsing it must not hold the daemon up. A guest of ours refuses such a message by itself. */
function isCheap(text: string): boolean {
  const { values, depth } = measureJson(text, SHAPE_MOST);
  return values <= SHAPE_MOST.values && depth <= SHAPE_MOST.depth;
}

const id = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const version = v.literal("2.0");
const none = v.optional(v.undefined());
const record = v.pipe(v.custom<Record<string, unknown>>(isObject), v.readonly());

const noticeSchema = v.variant("method", [
  v.object({
    jsonrpc: version,
    method: v.literal("host"),
    id,
    params: v.object({ method: v.pipe(v.string(), v.maxLength(100)), params: v.optional(v.unknown()) }),
  }),
  v.object({ jsonrpc: version, method: v.literal("cancel"), params: v.object({ id }) }),
  v.object({
    jsonrpc: version,
    method: v.literal("log"),
    params: v.object({ level: v.picklist(LOG_LEVELS), text: v.string(), fields: v.optional(record) }),
  }),
  v.object({ jsonrpc: version, method: v.literal("ready") }),
  v.object({
    jsonrpc: version,
    method: v.literal("stopped"),
    params: v.object({
      reason: v.picklist(["deadline", "memory", "told", "stack", "crash"]),
      detail: v.string(),
    }),
  }),
]);
const errorSchema = v.object({ jsonrpc: version, method: none, id, error: v.object({ data: v.unknown() }) });
const resultSchema = v.object({ jsonrpc: version, method: none, id, result: v.unknown() });

/** Chosen by a look, not by trial: a union would make an error for each form that a message does not have, at every answer. */
function schemaFor(message: Record<string, unknown>): GuestSchema {
  if ("method" in message) return noticeSchema;
  return "error" in message ? errorSchema : resultSchema;
}

type GuestSchema = typeof noticeSchema | typeof errorSchema | typeof resultSchema;

/** `__proto__` as a key is nobody's data; it goes before anything can copy it. */
function readJson(text: string): unknown {
  try {
    if (!text.includes("__proto__") && !text.includes("\\u00")) return JSON.parse(text) as unknown;
    return JSON.parse(text, (key, value: unknown) => (key === "__proto__" ? undefined : value)) as unknown;
  } catch {
    return undefined;
  }
}
