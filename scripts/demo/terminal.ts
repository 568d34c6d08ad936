/** Types a command into a pseudo-terminal and answers its questions. Used by the demo and by end-to-end tests. */

export interface Screen {
  readonly status: number;
  /** What was on the screen, with plain line ends. */
  readonly screen: string;
}

/** Gives the next answer each time the screen ends with a question (`…]: `). */
export async function typeInto(
  command: readonly string[],
  answers: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<Screen> {
  const left = [...answers];
  let screen = "";
  const child = Bun.spawn([...command], {
    env,
    terminal: {
      cols: 120,
      rows: 40,
      data(terminal, bytes) {
        screen += new TextDecoder().decode(bytes);
        if (screen.endsWith("]: ") && left.length > 0) terminal.write(`${left.shift()}\n`);
      },
    },
  });
  const status = await child.exited;
  child.terminal?.close();
  return { status, screen: screen.replaceAll("\r\n", "\n") };
}
