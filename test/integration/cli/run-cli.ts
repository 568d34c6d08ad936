/** The command line as a child process, with real pipes or a real terminal. */
import { join } from "node:path";

const ENTRY = join(import.meta.dir, "../../fixtures/cli-entry.ts");

export interface Ran {
  readonly stdout: string;
  readonly stderr: string;
  readonly status: number;
}

export interface RunOptions {
  readonly stdin?: string | Uint8Array<ArrayBuffer>;
  readonly environment?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

export function textOf(stream: ReadableStream<Uint8Array>): Promise<string> {
  return new Response(stream).text();
}

/** argv that runs it; the environment is never inherited. */
export function cliCommand(args: readonly string[]): string[] {
  return [process.execPath, ENTRY, ...args];
}

export function cliEnvironment(more: Readonly<Record<string, string>> = {}): Record<string, string> {
  return { PATH: process.env["PATH"] ?? "", HOME: "/nonexistent", NO_COLOR: "1", TERM: "xterm", ...more };
}

export async function runCliProcess(args: readonly string[], options: RunOptions = {}): Promise<Ran> {
  const child = Bun.spawn(cliCommand(args), {
    env: cliEnvironment(options.environment),
    stdin: options.stdin === undefined ? "ignore" : new Blob([options.stdin]),
    stdout: "pipe",
    stderr: "pipe",
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  });
  const [stdout, stderr, status] = await Promise.all([
    textOf(child.stdout),
    textOf(child.stderr),
    child.exited,
  ]);
  return { stdout, stderr, status };
}

/**
 * Runs it on a terminal of its own. Each step waits until its text is on the screen and then types; `screen` is all that
 * was shown, echo included.
 */
export async function runOnTerminal(
  args: readonly string[],
  steps: readonly { readonly see: string; readonly type: string }[],
): Promise<{ readonly screen: string; readonly status: number }> {
  const decoder = new TextDecoder();
  const left = [...steps];
  let screen = "";
  let answered = 0;
  const { promise: closed, resolve } = Promise.withResolvers<void>();
  const child = Bun.spawn(cliCommand(args), {
    env: cliEnvironment(),
    terminal: {
      data(terminal, bytes) {
        screen += decoder.decode(bytes, { stream: true });
        const at = left[0] === undefined ? -1 : screen.indexOf(left[0].see, answered);
        if (at === -1) return;
        answered = screen.length;
        terminal.write(left.shift()?.type ?? "");
      },
      exit: () => resolve(),
    },
  });
  const status = await child.exited;
  await closed;
  child.terminal?.close();
  return { screen: screen.replaceAll("\r\n", "\n"), status };
}
