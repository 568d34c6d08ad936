/** Lines for the plugin's log: `ctx.log`, `console`, and what was thrown where nobody catches it. */
import { LIMITS } from "../../../../base/limits.ts";
import { askText } from "./bridge.ts";
import { cut, describe } from "./describe.ts";
import { inspect } from "./inspect.ts";
import { apply, splitText, stringify } from "./primordials.ts";

export type Level = "debug" | "info" | "warn" | "error";

/** Never throws: a log line must not be what breaks a plugin. */
export function writeLog(level: Level, text: unknown, fields?: unknown): void {
  const line = cut(typeof text === "string" ? text : inspect(text), LIMITS.logTextChars);
  const more = fieldsText(fields);
  askText("log", `{"level":"${level}","text":${stringify(line)}${more === "" ? "" : `,"fields":${more}`}}`);
}

/** Something was thrown in a timer, a listener or a microtask. */
export function reportUncaught(where: string, thrown: unknown): void {
  const { name, message, stack } = describe(thrown);
  const place = stack === "" ? "" : ` (at ${apply(splitText, stack, ["\n"])[0]})`;
  writeLog("error", `uncaught in ${where}: ${name === "" ? "" : `${name}: `}${message}${place}`);
}

// --- internal ---

function fieldsText(fields: unknown): string {
  if (typeof fields !== "object" || fields === null) return "";
  try {
    const text = stringify(fields) ?? "";
    if (text.length > LIMITS.logTextChars)
      return '{"dropped":"the fields are larger than a log line may be"}';
    return text[0] === "{" ? text : "";
  } catch {
    return '{"dropped":"the fields are not JSON"}';
  }
}
