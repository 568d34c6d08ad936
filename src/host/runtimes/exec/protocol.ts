/**
 * What is said to an executable and what it may answer: one JSON object each way. The request has what the devbox plugin API names,
 * and fields beside them that older plugins pass over. Pure. Called by exchange.ts.
 */
import { isObject } from "../../../base/is-object.ts";
import { LIMITS } from "../../../base/limits.ts";
import { measureJson } from "../wire/json-shape.ts";

export interface ExecRequest {
  readonly action: string;
  readonly params: Readonly<Record<string, unknown>>;
  /** Tells calls apart in logs. */
  readonly id: string;
  readonly deadlineMs: number;
  /** The event that a hook is called for: the same when it is delivered again. */
  readonly eventId?: string | undefined;
}

export type ExecAnswer =
  | { readonly kind: "ok"; readonly result: unknown }
  | { readonly kind: "error"; readonly error: string }
  /** No answer: what is wrong with it, completing "its answer …". */
  | { readonly kind: "none"; readonly problem: Problem; readonly words: string };

/** Stable names, for details and tests. */
export type Problem =
  | "empty"
  | "not_utf8"
  | "text_before"
  | "text_after"
  | "two_answers"
  | "not_json"
  | "not_object"
  | "no_ok"
  | "wrong_type"
  | "too_complex";

export function encodeRequest({ action, params, id, deadlineMs, eventId }: ExecRequest): Uint8Array {
  const request = {
    action,
    params,
    v: PROTOCOL,
    id,
    deadline_ms: deadlineMs,
    ...(eventId === undefined ? {} : { event_id: eventId }),
  };
  return new TextEncoder().encode(`${JSON.stringify(request)}\n`);
}

/** `output`: all that it wrote to its standard output. */
export function parseAnswer(output: Uint8Array): ExecAnswer {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(output).trim();
  } catch {
    return none("not_utf8", "is not UTF-8 text");
  }
  if (text === "") return none("empty", "is empty");
  if (!text.startsWith("{")) return notAtStart(text);
  const end = objectEnd(text);
  if (end === undefined) return none("not_json", "is a JSON object without an end");
  const rest = text.slice(end).trim();
  if (rest.startsWith("{"))
    return none("two_answers", "has two JSON objects, wanted one; logs belong on standard error");
  if (rest !== "")
    return none("text_after", "has text behind the JSON object; logs belong on standard error");
  return readObject(text);
}

// --- internal ---

/** Of the fields beside the seed's. */
const PROTOCOL = 1;

function none(problem: Problem, words: string): ExecAnswer {
  return { kind: "none", problem, words };
}

function notAtStart(text: string): ExecAnswer {
  if (/^[["\dtfn-]/.test(text) && isJson(text))
    return none("not_object", 'is JSON, but no object such as {"ok": true}');
  return text.includes("{")
    ? none("text_before", "has text before the JSON object; logs belong on standard error")
    : none("not_json", 'is no JSON, wanted {"ok": true} or {"ok": false, "error": "…"}');
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** Where the object that the text begins with ends. */
function objectEnd(text: string): number | undefined {
  let depth = 0;
  let isInText = false;
  for (let at = 0; at < text.length; at++) {
    const char = text[at];
    if (isInText) {
      if (char === "\\") at++;
      else if (char === '"') isInText = false;
    } else if (char === '"') isInText = true;
    else if (char === "{" || char === "[") depth++;
    else if ((char === "}" || char === "]") && --depth === 0) return at + 1;
  }
  return undefined;
}

function readObject(text: string): ExecAnswer {
  const { values, depth } = measureJson(text);
  if (values > LIMITS.messageValues || depth > LIMITS.messageDepth)
    return none(
      "too_complex",
      `has more than ${LIMITS.messageValues} values, or more than ${LIMITS.messageDepth} levels`,
    );
  let answer: unknown;
  try {
    answer = JSON.parse(text);
  } catch {
    return none("not_json", "is no JSON, though it begins like an object");
  }
  if (!isObject(answer)) return none("not_object", "is JSON, but no object");
  return readFields(answer);
}

function readFields(answer: Record<string, unknown>): ExecAnswer {
  const { ok, result, error } = answer;
  // A Go program that leaves `ok` out where it is false (omitempty) has said what it means.
  if (ok === undefined && typeof error === "string" && error !== "") return { kind: "error", error };
  if (ok === undefined) return none("no_ok", 'has no "ok"');
  if (typeof ok !== "boolean") return none("wrong_type", 'has an "ok" that is neither true nor false');
  if (ok) return { kind: "ok", result };
  if (error !== undefined && typeof error !== "string")
    return none("wrong_type", 'has an "error" that is no text');
  return { kind: "error", error: error === undefined || error === "" ? "it gave no reason" : error };
}
