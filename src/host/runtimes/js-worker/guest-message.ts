/**
 * Reads a message from a Worker. Everything in it may be a plugin's doing, so it is checked as if it came from the network: an
 * unknown shape is the end of that room. Called by room-body.ts.
 */
import * as v from "valibot";
import { LOG_LEVELS } from "../../../base/log.ts";
import { LIMITS } from "../../../base/limits.ts";

export type GuestMessage = v.InferOutput<typeof messageSchema>;

/** Undefined where it is no message of ours. */
export function parseGuestMessage(data: unknown): GuestMessage | undefined {
  if (typeof data !== "string" || data.length > LIMITS.messageBytes + ENVELOPE_CHARS) return undefined;
  const parsed = v.safeParse(messageSchema, readJson(data));
  return parsed.success ? parsed.output : undefined;
}

// --- internal ---

const ENVELOPE_CHARS = 1024;

const id = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const version = v.literal("2.0");
const none = v.optional(v.undefined());
const record = v.pipe(
  v.custom<Record<string, unknown>>(
    (input) => typeof input === "object" && input !== null && !Array.isArray(input),
  ),
  v.readonly(),
);

const messageSchema = v.union([
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
  v.object({ jsonrpc: version, method: none, id, error: v.object({ data: v.unknown() }) }),
  v.object({ jsonrpc: version, method: none, id, result: v.unknown() }),
]);

/** `__proto__` as a key is nobody's data; it goes before anything can copy it. */
function readJson(text: string): unknown {
  try {
    if (!text.includes("__proto__") && !text.includes("\\u00")) return JSON.parse(text) as unknown;
    return JSON.parse(text, (key, value: unknown) => (key === "__proto__" ? undefined : value)) as unknown;
  } catch {
    return undefined;
  }
}
