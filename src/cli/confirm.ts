/** Asks before something is removed, where there is someone to ask; scripts and --yes go ahead. */
import { fail } from "../base/errors.ts";
import { printable } from "../base/text.ts";
import { isYes } from "./consent.ts";
import { isInteractive, type Io } from "./io.ts";

/** Throws `consent.refused` unless the answer is yes. `what`: "remove service web". */
export async function confirm(io: Io, what: string, yes: boolean): Promise<void> {
  if (yes || !isInteractive(io)) return;
  const question = printable(what);
  if (isYes(await io.ask(`${question.charAt(0).toUpperCase()}${question.slice(1)}? [y/N]: `))) return;
  throw fail("consent.refused", `nothing was done: you did not consent to ${question}`);
}
