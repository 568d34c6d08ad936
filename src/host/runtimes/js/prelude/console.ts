/** console: lines of the plugin's log. */
import { askText } from "./bridge.ts";
import { inspect } from "./inspect.ts";
import { writeLog, type Level } from "./log.ts";

export function makeConsole(): Record<string, (...args: unknown[]) => void> {
  const counts = new Map<string, number>();
  const starts = new Map<string, number>();
  let indent = "";
  const line = (level: Level, args: readonly unknown[]) => writeLog(level, indent + format(args));
  const elapsed = (label: string) => `${label}: ${(now() - (starts.get(label) ?? now())).toFixed(3)} ms`;
  const open = (...args: unknown[]) => {
    if (args.length > 0) line("info", args);
    if (indent.length < 40) indent += "  ";
  };
  return {
    debug: (...args) => line("debug", args),
    log: (...args) => line("info", args),
    info: (...args) => line("info", args),
    dir: (...args) => line("info", args.slice(0, 1)),
    table: (...args) => line("info", args.slice(0, 1)),
    warn: (...args) => line("warn", args),
    error: (...args) => line("error", args),
    trace: (...args) => line("debug", [...args, new Error("trace").stack]),
    assert: (ok, ...args) => void (Boolean(ok) || line("error", ["assertion failed", ...args])),
    count(label = "default") {
      const next = (counts.get(String(label)) ?? 0) + 1;
      counts.set(String(label), next);
      line("info", [`${String(label)}: ${next}`]);
    },
    countReset: (label = "default") => void counts.delete(String(label)),
    time: (label = "default") => void starts.set(String(label), now()),
    timeLog: (label = "default", ...args) => line("info", [elapsed(String(label)), ...args]),
    timeEnd(label = "default") {
      line("info", [elapsed(String(label))]);
      starts.delete(String(label));
    },
    group: open,
    groupCollapsed: open,
    groupEnd: () => void (indent = indent.slice(2)),
  };
}

// --- internal ---

function now(): number {
  return Number(askText("now"));
}

/** `%s`, `%d`, `%i`, `%f`, `%o`, `%O`, `%j` and `%%` in the first argument, then the rest with spaces between. */
function format(args: readonly unknown[]): string {
  const rest = [...args];
  let first = "";
  if (typeof rest[0] === "string") {
    first = String(rest.shift()).replaceAll(/%[sdifoOjc%]/g, (mark) => {
      if (mark === "%%") return "%";
      if (rest.length === 0) return mark;
      const value = rest.shift();
      if (mark === "%c") return "";
      if (mark === "%d" || mark === "%f") return String(Number(value));
      if (mark === "%i") return String(Math.trunc(Number(value)));
      return inspect(value);
    });
    if (rest.length === 0) return first;
    first += " ";
  }
  return first + rest.map(inspect).join(" ");
}
