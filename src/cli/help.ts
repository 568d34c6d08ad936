/** Help, made from the table of commands: the overview, one noun, one command. Pure text. */
import { argumentText, type Command, type Options } from "./command.ts";
import { GLOBAL_OPTIONS } from "./parse.ts";

/** `voxeltron --help`. */
export function overviewHelp(commands: readonly Command[]): string {
  return [
    "voxeltron deploys services and runs plugins that have no power but what you grant.",
    "",
    "Usage: voxeltron <command> [options]",
    "",
    "Commands:",
    ...columns(commands.map((command) => [synopsis(command, "short"), command.summary])),
    "",
    "Options of every command:",
    ...optionLines(GLOBAL_OPTIONS),
    "",
    "Examples:",
    ...indent(["voxeltron plugin install ./my-plugin", "voxeltron deploy web --image nginx:1.27 --port 80"]),
    "",
    "Exit status: 0 ok · 1 failure · 2 usage · 3 daemon not reachable · 4 not found · 5 denied, or no consent ·",
    "6 conflict · 7 invalid manifest or configuration · 8 timeout · 9 provider unavailable · 70 bug · 130 interrupted",
    "",
  ].join("\n");
}

/** `voxeltron plugin --help`. */
export function nounHelp(noun: string, commands: readonly Command[]): string {
  const family = familyOf(noun, commands);
  return [
    `Usage: voxeltron ${noun} <command> [options]`,
    "",
    "Commands:",
    ...columns(family.map((command) => [synopsis(command, "short"), command.summary])),
    "",
    "Examples:",
    ...indent(family.flatMap((command) => command.example.split("\n").slice(0, 1))),
    "",
    `More: voxeltron ${family[0]?.words ?? noun} --help`,
    "",
  ].join("\n");
}

/** `voxeltron plugin install --help`. */
export function commandHelp(command: Command, commands: readonly Command[]): string {
  const noun = command.words.split(" ")[0] ?? "";
  const others = familyOf(noun, commands).filter((other) => other !== command);
  const alsoThere = command.words === noun && others.length > 0;
  const hasOptions = Object.keys(command.options).length > 0;
  return [
    command.summary,
    "",
    `Usage: voxeltron ${synopsis(command, "full")}`,
    ...section("Options:", hasOptions ? optionLines(command.options) : []),
    ...section("Options of every command:", optionLines(GLOBAL_OPTIONS)),
    ...section("", command.notes ?? []),
    ...section(
      command.example.includes("\n") ? "Examples:" : "Example:",
      indent(command.example.split("\n")),
    ),
    ...section("See also:", alsoThere ? indent(others.map((other) => `voxeltron ${other.words}`)) : []),
    "",
  ].join("\n");
}

// --- internal ---

function familyOf(noun: string, commands: readonly Command[]): readonly Command[] {
  return commands.filter((command) => command.words.split(" ")[0] === noun);
}

function section(title: string, lines: readonly string[]): readonly string[] {
  if (lines.length === 0) return [];
  return title === "" ? ["", ...lines] : ["", title, ...lines];
}

function synopsis(command: Command, form: "short" | "full"): string {
  const options = form === "full" && Object.keys(command.options).length > 0 ? ["[options]"] : [];
  // Before what is passed on: behind it an option would be passed on too.
  const rest = command.args.some(({ rest }) => rest === true);
  const given = command.args.map(argumentText);
  return [command.words, ...(rest ? [...options, ...given] : [...given, ...options])].join(" ");
}

function optionLines(options: Options): readonly string[] {
  return columns(
    Object.entries(options).map(([name, option]) => {
      const short = option.short === undefined ? "" : `-${option.short}, `;
      const value = option.type === "flag" ? "" : ` ${option.value ?? "VALUE"}`;
      const repeat = option.type === "list" ? " (repeatable)" : "";
      return [`${short}--${name}${value}`, `${option.summary}${repeat}`];
    }),
  );
}

function columns(rows: readonly (readonly [string, string])[]): readonly string[] {
  const width = Math.min(34, Math.max(...rows.map(([left]) => left.length)));
  return rows.map(([left, right]) =>
    left.length > width ? `  ${left}\n  ${" ".repeat(width)}  ${right}` : `  ${left.padEnd(width)}  ${right}`,
  );
}

function indent(lines: readonly string[]): readonly string[] {
  return lines.map((line) => `  ${line}`);
}
