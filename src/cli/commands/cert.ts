/** `cert list · renew`: how the certificates of the services' domains stand, and trying now. */
import type { CertificateView } from "../../api/operations.ts";
import { LIMITS } from "../../base/limits.ts";
import { printable } from "../../base/text.ts";
import { command } from "../command.ts";
import { json, jsonLine, table } from "../output.ts";

const list = command({
  words: "cert list",
  summary: "show the certificates of the services' domains",
  args: [],
  options: {},
  example: "voxeltron cert list",
  async run({ io, flags, client }) {
    const { certificates } = await (await client()).call("cert.list", {});
    const rows = certificates.map((view) => [
      view.domain,
      view.issuer,
      view.notAfter,
      stateText(view),
      view.nextTry,
      view.error,
    ]);
    await io.stdout.write(
      flags.json ? json(certificates) : table(HEADER, rows, "no domain needs a certificate"),
    );
  },
});

const renew = command({
  words: "cert renew",
  summary: "try to get a certificate now",
  args: [{ name: "domain", optional: true }],
  options: {},
  example: ["voxeltron cert renew app.example.com", "voxeltron cert renew"].join("\n"),
  notes: [
    "Without a domain: all that have no certificate, are due, or failed the last time.",
    "Ends with status 1 where one of them was not issued. --json writes one document a line.",
  ],
  async run(context) {
    const { io, args, flags, client } = context;
    const { domain } = args;
    const tries = (await client()).stream("cert.renew", domain === undefined ? {} : { domain });
    let count = 0;
    for await (const view of tries) {
      count++;
      if (view.problem !== null) context.setStatus(1);
      await io.stdout.write(flags.json ? jsonLine(view) : `${outcomeText(view)}\n`);
    }
    if (count === 0 && !flags.json) await io.stdout.write("no certificate has to be renewed\n");
  },
});

export const certCommands = [list, renew];

// --- internal ---

const HEADER = ["DOMAIN", "ISSUER", "NOT AFTER", "STATE", "NEXT TRY", "LAST ERROR"];

/** A certificate may be good while the next one does not come. */
function stateText({ state, problem }: CertificateView): string {
  return problem === null ? state : `${state} (${problem})`;
}

function outcomeText({ domain, issuer, notAfter, error, nextTry }: CertificateView): string {
  const name = printable(domain);
  if (error === null)
    return `✓ ${name}: good until ${printable(notAfter ?? "-")}, issued by ${printable(issuer ?? "-")}`;
  const next = nextTry === null ? "" : `; the next try is at ${printable(nextTry)}`;
  return `✗ ${name}: ${printable(error, LIMITS.errorTextChars)}${next}`;
}
