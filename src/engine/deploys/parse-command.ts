/**
 * Splits `--command` into an argv. No shell is involved, ever: what only a shell understands is refused with words, because it
 * would reach the program as a plain argument and surprise its author. Pure. Called by deploy-input.ts.
 */
import { parseArgsStringToArgv } from "string-argv";
import { fail } from "../../base/errors.ts";
import { quote } from "../../base/text.ts";

export function parseCommand(command: string): readonly string[] {
  if (command.includes("\0")) throw fail("service.invalid", "a command can't hold a NUL character");
  const found = shellSyntax(command);
  if (found === "quote")
    throw fail("service.invalid", `a quotation mark is never closed in the command ${quote(command)}`);
  if (found !== undefined)
    throw fail("service.invalid", `a command runs without a shell, and ${quote(found)} needs one`, {
      hint: `quote it where it is meant as text, or ask for a shell: --command "sh -c '…'"`,
    });
  const argv = parseArgsStringToArgv(command);
  if (argv[0] === undefined || argv[0] === "")
    throw fail("service.invalid", `a command starts with a program's name, and got ${quote(command)}`);
  return argv;
}

// --- internal ---

/** The first operator, substitution or variable that stands outside quotes; `quote` where one is left open. */
function shellSyntax(command: string): string | undefined {
  const unquoted = command.replaceAll(/"[^"]*"|'[^']*'/g, " ");
  if (/["']/.test(unquoted)) return "quote";
  return /&&|\|\||\$\(|\$\{?\w+\}?|[|&;<>`]/.exec(unquoted)?.[0];
}
