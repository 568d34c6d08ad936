/** `doctor`: can this machine do what the daemon needs of it? Asks the daemon, and looks by itself where none answers. */
import type { Examination } from "../../api/operations.ts";
import { printable } from "../../base/text.ts";
import { command, type Context } from "../command.ts";
import { isAbsent } from "../offline.ts";
import { json, table } from "../output.ts";

export const doctor = command({
  words: "doctor",
  summary: "say whether this machine can confine plugins, and what is missing",
  args: [],
  options: {},
  example: "voxeltron doctor\nvoxeltron doctor --json",
  notes: [
    "The daemon looks, as its own user and in its own unit; where none answers, this command does, as you.",
    "Ends with status 1 where something is missing that is needed.",
  ],
  async run(context) {
    const { io, flags } = context;
    const { where, ...examination } = await examine(context);
    await io.stdout.write(
      flags.json ? json({ where, ...examination }) : doctorText(examination, where === "daemon"),
    );
    context.setStatus(examination.ok ? 0 : 1);
  },
});

// --- internal ---

type Seen = Examination & { readonly where: "daemon" | "here" };

async function examine({ io, flags, client }: Pick<Context, "io" | "flags" | "client">): Promise<Seen> {
  try {
    return { where: "daemon", ...(await (await client()).call("daemon.doctor", {})) };
  } catch (error) {
    if (!isAbsent(error)) throw error;
    const { examineHere } = await import("../../api/offline.ts");
    const examination = await examineHere(flags.config, io.environment, io.uid);
    await io.stderr.write(
      "note: no daemon answers; a daemon that another user or a unit runs may find other things\n",
    );
    return { where: "here", ...examination };
  }
}

function doctorText({ ok, uid, unit, findings, notTested }: Examination, byDaemon: boolean): string {
  const who = `${uid === 0 ? "root" : `user ${uid}`}${unit === null ? "" : ` in ${unit}`}`;
  const rows = findings.map((finding) => [finding.name, stateOf(finding), finding.found]);
  const advice = findings
    .filter((finding) => !finding.ok && finding.advice !== null)
    .map((finding) => `hint: ${printable(finding.name)}: ${printable(finding.advice ?? "", ADVICE_CHARS)}\n`);
  return [
    `Looked as ${printable(byDaemon ? `the daemon, ${who}` : who)}.\n\n`,
    table(["CHECK", "STATE", "FOUND"], rows, "nothing was tested"),
    "\n",
    ...advice,
    ok ? "✓ What is needed is there\n" : "Something is missing that is needed.\n",
    `Not tested: ${printable(notTested.join(", "))}.\n`,
  ].join("");
}

const ADVICE_CHARS = 400;

function stateOf({ ok, required }: Examination["findings"][number]): string {
  if (ok) return "ok";
  return required ? "failed" : "weaker";
}
