/**
 * From argv to a command and its values, by the table of commands. Strict: what is not known is `usage.invalid` with the
 * name that was probably meant, and nothing is guessed (a value that looks like an option must be written `--name=value`).
 * node:util does the splitting; it is used instead of cac, which turns `--username 007` into 7 and knows no second words.
 */
import { parseArgs } from "node:util";
import { fail, type VoxError } from "../base/errors.ts";
import { didYouMean, quote } from "../base/text.ts";
import {
  argumentText,
  type Argument,
  type Command,
  type GlobalFlags,
  type Option,
  type Options,
} from "./command.ts";

export interface Parsed {
  /** Undefined where no command was named. */
  readonly command: Command | undefined;
  /** A noun whose verb is missing; only with `help`. */
  readonly noun: string | undefined;
  readonly args: Readonly<Record<string, string | undefined>>;
  readonly rest: readonly string[];
  readonly options: Readonly<Record<string, unknown>>;
  readonly flags: GlobalFlags;
  readonly help: boolean;
  readonly version: boolean;
}

/** Understood by every command, before and after its words. */
export const GLOBAL_OPTIONS = {
  json: { type: "flag", summary: "print the result as JSON, and errors as JSON on stderr" },
  config: { type: "text", value: "FILE", summary: "configuration file (VOXELTRON_CONFIG)" },
  "data-dir": { type: "text", value: "DIR", summary: "data directory (VOXELTRON_DATA_DIR)" },
  socket: { type: "text", value: "PATH", summary: "the daemon's socket (VOXELTRON_SOCKET)" },
  help: { type: "flag", short: "h", summary: "show help, for a command too" },
  version: { type: "flag", summary: "print the version" },
} as const satisfies Options;

/** Throws `usage.invalid`. */
export function parseCommandLine(argv: readonly string[], commands: readonly Command[]): Parsed {
  const { command, noun, others } = takeCommand(argv, commands);
  const known: Options = { ...command?.options, ...GLOBAL_OPTIONS };
  const { values, words } = readOptions(others, known, command);
  const help = values["help"] === true;
  const args = help || command === undefined ? { args: {}, rest: [] } : assignArguments(command, words);
  if (command === undefined && words[0] !== undefined) throw unknownCommand(words[0], commands);
  return {
    command,
    noun,
    ...args,
    options: values,
    flags: {
      json: values["json"] === true,
      config: values["config"] as string | undefined,
      dataDir: values["data-dir"] as string | undefined,
      socket: values["socket"] as string | undefined,
    },
    help,
    version: values["version"] === true,
  };
}

/** `usage.invalid` with the command's own --help as advice. */
export function usage(message: string, command?: Pick<Command, "words">): VoxError {
  return fail("usage.invalid", message, {
    hint: `see: voxeltron ${command === undefined ? "" : `${command.words} `}--help`,
  });
}

// --- internal ---

interface Taken {
  readonly command: Command | undefined;
  readonly noun?: string;
  readonly others: readonly string[];
}

/** Finds the words of a command behind global options and takes them out. */
function takeCommand(argv: readonly string[], commands: readonly Command[]): Taken {
  const first = nextWord(argv, 0);
  if (first === undefined) return { command: undefined, others: argv };
  const noun = argv[first] ?? "";
  const family = commands.filter((command) => command.words.split(" ")[0] === noun);
  if (family.length === 0) throw unknownCommand(noun, commands);
  const second = nextWord(argv, first + 1);
  const both = family.find((command) => second !== undefined && command.words === `${noun} ${argv[second]}`);
  if (both !== undefined) return { command: both, others: without(argv, [first, second]) };
  const alone = family.find((command) => command.words === noun);
  if (alone !== undefined) return { command: alone, others: without(argv, [first]) };
  if (second === undefined) return nounAlone(noun, family, without(argv, [first]));
  throw unknownVerb(noun, argv[second] ?? "", family);
}

/** `voxeltron plugin --help` lists the family; without --help a verb is missing. */
function nounAlone(noun: string, family: readonly Command[], others: readonly string[]): Taken {
  if (others.includes("--help") || others.includes("-h")) return { command: undefined, noun, others };
  throw usage(`${noun} needs one of: ${verbs(family).join(", ")}`, { words: noun });
}

/** The place of the next argument that is no global option, or undefined. */
function nextWord(argv: readonly string[], from: number): number | undefined {
  for (let index = from; index < argv.length; index++) {
    const text = argv[index] ?? "";
    if (text === "--") return undefined;
    if (!text.startsWith("-")) return index;
    const option = (GLOBAL_OPTIONS as Options)[text.slice(2)];
    if (option === undefined && !isGlobal(text)) return undefined;
    if (option?.type === "text") index++;
  }
  return undefined;
}

function isGlobal(text: string): boolean {
  return text === "-h" || Object.hasOwn(GLOBAL_OPTIONS, text.slice(2).split("=")[0] ?? "");
}

function without(argv: readonly string[], places: readonly (number | undefined)[]): readonly string[] {
  return argv.filter((_, index) => !places.includes(index));
}

function readOptions(
  argv: readonly string[],
  known: Options,
  command: Command | undefined,
): { readonly values: Record<string, unknown>; readonly words: readonly string[] } {
  const { tokens } = parseArgs({
    args: [...argv],
    strict: false,
    tokens: true,
    allowPositionals: true,
    options: parserOptions(known),
  });
  const values: Record<string, unknown> = defaults(known);
  const words: string[] = [];
  for (const token of tokens) {
    if (token.kind === "positional") words.push(token.value);
    if (token.kind !== "option") continue;
    const option = Object.hasOwn(known, token.name) ? known[token.name] : undefined;
    if (option === undefined) throw unknownOption(token.rawName, known, command);
    takeValue(values, { ...token, option, command });
  }
  return { values, words };
}

interface OptionToken {
  readonly name: string;
  readonly rawName: string;
  readonly value: string | undefined;
  readonly inlineValue: boolean | undefined;
  readonly option: Option;
  readonly command: Command | undefined;
}

function takeValue(values: Record<string, unknown>, token: OptionToken): void {
  const { name, rawName, value, option, command } = token;
  if (option.type === "flag") {
    if (value !== undefined) throw usage(`${rawName} takes no value, found ${quote(value)}`, command);
    values[name] = true;
    return;
  }
  if (value === undefined) throw usage(`${rawName} needs a value: ${rawName} ${option.value}`, command);
  if (token.inlineValue !== true && value.length > 1 && value.startsWith("-"))
    throw usage(`${rawName} needs a value, found ${quote(value)}; if it is one: ${rawName}=…`, command);
  if (option.type === "list") {
    values[name] = [...(values[name] as readonly string[]), value];
    return;
  }
  if (values[name] !== undefined) throw usage(`${rawName} was given twice`, command);
  values[name] = option.type === "text" ? value : parseNumber(token, value);
}

function parseNumber({ rawName, option, command }: OptionToken, text: string): number {
  const pattern = option.type === "integer" ? /^\d{1,15}$/ : /^\d{1,9}(?:\.\d{1,9})?$/;
  const value = pattern.test(text) ? Number(text) : Number.NaN;
  const min = option.min ?? 0;
  const max = option.max ?? Number.MAX_SAFE_INTEGER;
  if (value >= min && value <= max) return value;
  const range = option.max === undefined ? `of at least ${min}` : `from ${min} to ${max}`;
  const kind = option.type === "integer" ? "a whole number" : "a number";
  throw usage(`${rawName} wants ${kind} ${range}, found ${quote(text)}`, command);
}

function parserOptions(
  known: Options,
): Record<string, { readonly type: "boolean" | "string"; readonly short?: string }> {
  return Object.fromEntries(
    Object.entries(known).map(([name, { type, short }]) => [
      name,
      { type: type === "flag" ? "boolean" : "string", ...(short === undefined ? {} : { short }) },
    ]),
  );
}

function defaults(known: Options): Record<string, unknown> {
  const initial = { flag: false, list: [], text: undefined, integer: undefined, decimal: undefined };
  return Object.fromEntries(Object.entries(known).map(([name, { type }]) => [name, initial[type]]));
}

function assignArguments(
  command: Command,
  words: readonly string[],
): { readonly args: Record<string, string | undefined>; readonly rest: readonly string[] } {
  const args: Record<string, string | undefined> = {};
  let used = 0;
  for (const wanted of command.args) {
    if (wanted.rest === true) {
      if (used >= words.length) throw missing(command, wanted);
      return { args, rest: words.slice(used) };
    }
    const word = words[used++];
    if (word === undefined && wanted.optional !== true) throw missing(command, wanted);
    if (word === "") throw usage(`${wanted.name} is empty`, command);
    args[wanted.name] = word;
  }
  const extra = words[used];
  if (extra !== undefined && command.refuseMore !== undefined) throw command.refuseMore();
  if (extra !== undefined) throw usage(`${quote(extra)} is one argument too many`, command);
  return { args, rest: [] };
}

function missing(command: Command, wanted: Argument): VoxError {
  return usage(`${command.words} needs ${argumentText(wanted)}`, command);
}

function verbs(family: readonly Command[]): readonly string[] {
  return family.map((command) => command.words.split(" ")[1] ?? command.words);
}

function unknownCommand(found: string, commands: readonly Command[]): VoxError {
  const nouns = [...new Set(commands.map((command) => command.words.split(" ")[0] ?? ""))];
  return usage(`there is no command ${quote(found)}${suggestion(found, nouns)}`);
}

function unknownVerb(noun: string, found: string, family: readonly Command[]): VoxError {
  const known = verbs(family);
  const advice = suggestion(found, known) || `; there is ${known.join(", ")}`;
  return usage(`there is no command ${quote(`${noun} ${found}`)}${advice}`, { words: noun });
}

function unknownOption(found: string, known: Options, command: Command | undefined): VoxError {
  const names = found.startsWith("--") ? Object.keys(known) : [];
  const passedOn = command?.args.some((argument) => argument.rest === true) === true;
  const advice = suggestion(found.replace(/^-+/, ""), names, "--");
  return usage(
    `there is no option ${quote(found)}${advice || (passedOn ? "; write -- before what is passed on" : "")}`,
    command,
  );
}

function suggestion(found: string, known: readonly string[], prefix = ""): string {
  const meant = didYouMean(found, known);
  return meant === undefined ? "" : `; did you mean ${prefix}${meant}?`;
}
