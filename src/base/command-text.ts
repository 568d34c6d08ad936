/** A command as one text. Pure. Called by the providers that are plugins, and by the command line. */

/** Quoted as a shell, or whatever splits like one, takes the same words out of it again. */
export function commandText(argv: readonly string[]): string {
  return argv.map(quoted).join(" ");
}

// --- internal ---

function quoted(word: string): string {
  if (/^[\w./:=@%+,-]+$/.test(word)) return word;
  return `'${word.replaceAll("'", `'"'"'`)}'`;
}
