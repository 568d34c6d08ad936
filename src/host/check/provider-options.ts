/**
 * What may be asked of a provider beside the plain life: all that an instance can be created with, names in any script, and the optional
 * actions, those that it offers and those that it does not. Called by check-program.ts.
 */
import { OPTIONAL_ACTIONS, type OptionalAction } from "../../base/provider-actions.ts";
import { quote } from "../../base/text.ts";
import type { Findings } from "./findings.ts";
import type { Called } from "./program.ts";
import { plainSpec, stopAndDestroy, type Bench } from "./provider-bench.ts";
import { execAnswer, problemOfLogs, problemOfStats } from "./provider-shapes.ts";
import { UNUSUAL_LINE, UNUSUAL_TEXT } from "./unusual.ts";
import { judge, judgeRefusal } from "./verdicts.ts";

export interface OptionPlaces {
  /** Free on this machine, now. */
  readonly port: number;
  /** A folder that may be shown to an instance. */
  readonly folder: string;
}

/** The file in that folder, and what is in it. */
export const VOLUME_FILE = "check.txt";
export const VOLUME_TEXT = UNUSUAL_TEXT;

export async function checkOptions(bench: Bench, places: OptionPlaces): Promise<void> {
  const { findings, offer } = bench;
  await onNames(bench);
  const offered = OPTIONAL_ACTIONS.filter((action) => offer.actions.includes(action));
  const created = await createAll(bench, places);
  const name = created?.name ?? "";
  const runs =
    created !== undefined && offered.length > 0 && (await bench.ask("start", { name })).kind === "ok";
  for (const action of offered) {
    if (runs) await OPTIONAL[action](bench, name);
    else findings.skipped(`options.${action}`, "no instance runs");
  }
  if (runs && created.hasAll && offer.actions.includes("exec"))
    for (const arrival of ARRIVALS) await lookInside(bench, name, arrival);
  if (created !== undefined) await stopAndDestroy(bench, name);
  for (const action of OPTIONAL_ACTIONS.filter((each) => !offered.includes(each)))
    judgeRefusal(
      findings,
      "options.undeclared",
      await bench.ask(action, PARAMS[action](bench.newName())),
      "warned",
      { subject: action },
    );
}

// --- internal ---

const PARAMS: Readonly<Record<OptionalAction, (name: string) => Record<string, unknown>>> = {
  logs: (name) => ({ name }),
  stats: (name) => ({ name }),
  exec: (name) => ({ name, command: ["true"] }),
};

/** No such name is ever given by voxeltron; a program that builds command lines shows itself here. */
async function onNames(bench: Bench): Promise<void> {
  const { called, word } = await bench.status(`${bench.newName()}-ü 世界 $(id) 'x' "y" ;#`);
  if (called.kind === "ok" && word !== "missing" && word !== bench.alwaysSays)
    bench.findings.failed("options.names", `ok: true, ${JSON.stringify(called.result).slice(0, 200)}`);
  else judge(bench.findings, "options.names", called, "passed");
}

interface Created {
  readonly name: string;
  /** With all that can be asked for. */
  readonly hasAll: boolean;
}

/** An instance, if not with everything, then plain. */
async function createAll(bench: Bench, { port, folder }: OptionPlaces): Promise<Created | undefined> {
  const { findings } = bench;
  const lines = bench.newName();
  judge(
    findings,
    "options.create",
    await bench.ask("create", { ...plainSpec(bench, lines), env: { LINES: UNUSUAL_TEXT } }),
    "warned",
    { subject: "a variable of two lines" },
  );
  await stopAndDestroy(bench, lines);
  const name = bench.newName();
  const called = await bench.ask("create", {
    ...plainSpec(bench, name),
    ports: { "8080": port },
    env: { UNUSUAL: UNUSUAL_LINE, EMPTY: "", VOXELTRON_CHECK: "1" },
    cpus: 0.5,
    memory: "64m",
    volumes: [`${folder}:${VOLUME}`],
  });
  if (judge(findings, "options.create", called, "warned")) return { name, hasAll: true };
  if (called.kind !== "refused") return undefined;
  const plain = bench.newName();
  return (await bench.ask("create", plainSpec(bench, plain))).kind === "ok"
    ? { name: plain, hasAll: false }
    : undefined;
}

const VOLUME = "/voxeltron-check";

const OPTIONAL: Readonly<Record<OptionalAction, (bench: Bench, name: string) => Promise<void>>> = {
  async logs(bench, name) {
    const whole = await bench.ask("logs", { name });
    const few = await bench.ask("logs", { name, tail: 1 });
    shaped(bench.findings, "options.logs", whole.kind === "ok" ? few : whole, problemOfLogs);
  },
  async stats(bench, name) {
    shaped(bench.findings, "options.stats", await bench.ask("stats", { name }), problemOfStats);
  },
  async exec(bench, name) {
    for (const [command, stdin, wanted] of EXECS) {
      const called = await bench.ask("exec", {
        name,
        command,
        ...(stdin === undefined ? {} : { stdin: Buffer.from(stdin).toString("base64") }),
      });
      const more = { subject: command[0] ?? "" };
      if (called.kind !== "ok") judge(bench.findings, "options.exec", called, "failed", more);
      else shaped(bench.findings, "options.exec", called, (result) => problemOfExec(result, wanted), more);
    }
  },
};

/** What was asked for at create, seen from inside: a line that must be in the command's output. */
interface Arrival {
  readonly what: string;
  readonly command: readonly string[];
  readonly line: string;
}

const ARRIVALS: readonly Arrival[] = [
  { what: "env", command: ["env"], line: `UNUSUAL=${UNUSUAL_LINE}` },
  { what: "volumes", command: ["cat", `${VOLUME}/${VOLUME_FILE}`], line: VOLUME_TEXT },
];

async function lookInside(bench: Bench, name: string, { what, command, line }: Arrival): Promise<void> {
  const called = await bench.ask("exec", { name, command });
  const answer = called.kind === "ok" ? execAnswer(called.result) : undefined;
  const more = { subject: what };
  // Of the action itself is told elsewhere.
  if (answer === undefined || typeof answer === "string" || NOT_THERE.has(answer.status))
    bench.findings.skipped("options.arrives", `${command[0] ?? ""} can't be run inside`, more);
  else if (`\n${answer.stdout}\n`.includes(`\n${line}\n`)) bench.findings.passed("options.arrives", more);
  else bench.findings.failed("options.arrives", `inside there is no ${quote(line)}`, more);
}

/** What a command ends with that can't be started, as a shell has it. */
const NOT_THERE: ReadonlySet<number> = new Set([126, 127]);

interface Wanted {
  readonly status: number;
  readonly stdout: string;
}

/** Programs that the smallest image has. */
const EXECS: readonly (readonly [command: readonly string[], stdin: string | undefined, wanted: Wanted])[] = [
  [["echo", UNUSUAL_TEXT], undefined, { status: 0, stdout: `${UNUSUAL_TEXT}\n` }],
  [["cat"], UNUSUAL_TEXT, { status: 0, stdout: UNUSUAL_TEXT }],
  [["false"], undefined, { status: 1, stdout: "" }],
];

function problemOfExec(result: unknown, { status, stdout }: Wanted): string | undefined {
  const answer = execAnswer(result);
  if (typeof answer === "string") return answer;
  if (answer.status !== status) return `exit_code ${answer.status}, and it ended with ${status}`;
  return answer.stdout === stdout
    ? undefined
    : `stdout ${quote(answer.stdout)}, and it wrote ${quote(stdout)}`;
}

function shaped(
  findings: Findings,
  check: "options.logs" | "options.stats" | "options.exec" | "options.arrives",
  called: Called,
  problemOf: (result: unknown) => string | undefined,
  more: { readonly subject?: string } = {},
): void {
  const problem = called.kind === "ok" ? problemOf(called.result) : undefined;
  if (problem === undefined) judge(findings, check, called, "failed", more);
  else findings.failed(check, problem, more);
}
