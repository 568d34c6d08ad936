/** Asks before something is removed. Where there is nobody to ask, only --yes goes ahead. */
import { fail } from "../base/errors.ts";
import { printable } from "../base/text.ts";
import { isYes } from "./consent.ts";
import { isInteractive, type Io } from "./io.ts";

/** Throws `consent.refused` unless the answer is yes, `consent.needed` without a terminal. `what`: "remove service web". */
export async function confirm(io: Io, what: string, yes: boolean): Promise<void> {
  if (yes) return;
  const question = printable(what);
  if (!isInteractive(io))
    throw fail("consent.needed", `there is no terminal to ask whether to ${question}`, {
      hint: "pass --yes",
    });
  if (isYes(await io.ask(`${question.charAt(0).toUpperCase()}${question.slice(1)}? [y/N]: `))) return;
  throw fail("consent.refused", `nothing was done: you did not consent to ${question}`);
}
