/**
 * What a command is: a row of data with one function. Parsing, help, errors and the tests are made from these rows, so
 * that every command has the same manners. Commands live in commands/, one file a noun; commands.ts lists them.
 */
import type { Client } from "../api/client.ts";
import type { VoxError } from "../base/errors.ts";
import type { Io } from "./io.ts";
import type { Place, PlaceFlags } from "./place.ts";
import type { Advice } from "./program-name.ts";

export interface Command {
  /** What is typed: `plugin install`. */
  readonly words: string;
  readonly summary: string;
  readonly args: readonly Argument[];
  readonly options: Options;
  /** The error for one argument too many, where the usual one would repeat what must not be repeated. */
  readonly refuseMore?: () => VoxError;
  /** Command lines, one a line, as they would be typed. */
  readonly example: string;
  /** What else there is to say, one line each. */
  readonly notes?: readonly string[];
  run(context: Context): Promise<void>;
}

export interface Argument {
  readonly name: string;
  /** Any number of them, at least one. Only the last may be. */
  readonly rest?: true;
  readonly optional?: true;
}

/** As help and errors write it. */
export function argumentText({ name, rest, optional }: Argument): string {
  if (rest === true) return `${name}…`;
  return optional === true ? `[${name}]` : `<${name}>`;
}

/** By the long name without dashes. */
export type Options = Readonly<Record<string, Option>>;

export interface Option {
  readonly type: "flag" | "text" | "list" | "integer" | "decimal";
  /** How help calls the value: `PORT`. */
  readonly value?: string;
  readonly short?: string;
  readonly summary: string;
  readonly min?: number;
  readonly max?: number;
}

export interface Context<O extends Options = Options> {
  readonly io: Io;
  /** By the name in `args`; an absent optional one is undefined. */
  readonly args: Readonly<Record<string, string | undefined>>;
  /** The words of a `rest` argument. */
  readonly rest: readonly string[];
  readonly options: OptionValues<O>;
  readonly flags: GlobalFlags;
  /** Where daemon and data are; asks flags, environment and file, the last only if it must. */
  readonly place: Place;
  readonly client: () => Promise<Client>;
  /** For command lines in a result: under the name that was typed. */
  readonly advice: Advice;
  /** The status that the process ends with when nothing is thrown. */
  setStatus(status: number): void;
  readonly runDaemon: RunDaemon;
}

/** The program's other role; main.ts of the program passes it in, because the command line may not know the daemon. */
export type RunDaemon = (flags: GlobalFlags) => Promise<void>;

export interface GlobalFlags extends PlaceFlags {
  readonly json: boolean;
}

export type OptionValues<O extends Options> = { readonly [K in keyof O]: OptionValue<O[K]["type"]> };

/** Types the context of `run` by the options beside it. */
export function command<const O extends Options>(
  spec: Omit<Command, "options" | "run"> & {
    readonly options: O;
    readonly run: (context: Context<O>) => Promise<void>;
  },
): Command {
  return { ...spec, run: (context) => spec.run(context as Context<O>) };
}

/** A required argument: the parser has made sure that it is there. */
export function argument(context: Pick<Context, "args">, name: string): string {
  return context.args[name] ?? "";
}

// --- internal ---

type OptionValue<T extends Option["type"]> = T extends "flag"
  ? boolean
  : T extends "list"
    ? readonly string[]
    : (T extends "text" ? string : number) | undefined;
