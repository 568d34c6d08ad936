/** What a plugin threw, as plain strings. Reading it may run the plugin's own getters; nothing they do gets further. */
import { LIMITS } from "../../../../base/limits.ts";
import { askText } from "./bridge.ts";
import { apply, parse, sliceText, stringify, stringOf } from "./primordials.ts";

export interface Thrown {
  readonly name: string;
  readonly message: string;
  /** The plugin's own frames in its own files, a line each. */
  readonly stack: string;
  readonly code: string;
}

export function describe(thrown: unknown): Thrown {
  if ((typeof thrown !== "object" && typeof thrown !== "function") || thrown === null) {
    return { name: "", message: cut(stringOf(thrown), LIMITS.errorTextChars), stack: "", code: "" };
  }
  return {
    name: read(thrown, "name", 80),
    message: read(thrown, "message", LIMITS.errorTextChars) || asJson(thrown),
    stack: authorStack(read(thrown, "stack", STACK_CHARS_MAX)),
    code: read(thrown, "code", 80),
  };
}

/** The same as JSON text. */
export function describeText(thrown: unknown): string {
  const { name, message, stack, code } = describe(thrown);
  const field = (key: string, value: string) => `"${key}":${stringify(value)}`;
  return `{${field("name", name)},${field("message", message)},${field("stack", stack)},${field("code", code)}}`;
}

export function cut(text: string, max: number): string {
  return text.length <= max ? text : `${apply(sliceText, text, [0, max - 1])}…`;
}

// --- internal ---

const STACK_CHARS_MAX = 8 * 1024;

function authorStack(stack: string): string {
  const mapped = stack === "" ? "" : askText("stack", stringify(stack));
  return mapped === "" ? "" : (parse(mapped) as string);
}

function read(thrown: object, key: string, max: number): string {
  try {
    const value: unknown = (thrown as Record<string, unknown>)[key];
    return typeof value === "string" ? cut(value, max) : "";
  } catch {
    return "";
  }
}

/** For an object that is thrown without being an error. */
function asJson(thrown: object): string {
  try {
    if (thrown instanceof Error) return "";
    return cut(stringify(thrown) ?? "", LIMITS.errorTextChars);
  } catch {
    return "";
  }
}
