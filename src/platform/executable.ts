/**
 * Runs an executable once: bytes to its standard input, its standard output whole, its standard error line by line. In a process group
 * of its own, which is ended whole at the deadline, and after it: nothing that it started stays. No shell, no inherited environment.
 * Called by host/runtimes/exec.
 */
import type { Clock } from "../base/clock.ts";
import { LIMITS } from "../base/limits.ts";

export interface ExecutableRun {
  readonly command: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** In pieces: each is given when it comes. */
  readonly input: Uint8Array | AsyncIterable<Uint8Array>;
  /** Wall clock. Then it is asked to end, and ended after LIMITS.execGraceMs. */
  readonly deadlineMs: number;
  readonly outputBytes: number;
  /** Where its standard output goes, in place of a pipe that is emptied at once. */
  readonly output?: OutputPipe | undefined;
  readonly signal?: AbortSignal | undefined;
  /** A line that it wrote to its standard error. */
  readonly said: (line: string) => void;
  /** Told at once: its pid, which is that of its group. */
  readonly began?: ((pid: number) => void) | undefined;
  /** It has ended by itself, and what it left in its group runs still: the last chance to look at that. */
  readonly ended?: ((group: number) => Promise<void>) | undefined;
}

export interface OutputPipe {
  /** The descriptor that it is given. */
  readonly descriptor: number;
  /** It has it now. */
  given(): void;
  readonly read: AsyncIterable<Uint8Array>;
}

/** As `runExecutable`, or something around it. */
export type RunExecutable = typeof runExecutable;

export interface ExecutableEnd {
  readonly output: Uint8Array;
  /** Undefined where a signal ended it. */
  readonly status: number | undefined;
  readonly endedBy: string | undefined;
  /** What ended it, where it did not end by itself. */
  readonly stopped: "deadline" | "output" | "cancel" | undefined;
  /** It ended, and something that it had started kept its output open. */
  readonly outputHeld: boolean;
}

/** Rejects with what the system says where it can't be started. */
export async function runExecutable(run: ExecutableRun, clock: Clock): Promise<ExecutableEnd> {
  const child = Bun.spawn([...run.command], {
    cwd: run.cwd,
    env: { ...run.env },
    stdio: ["pipe", run.output?.descriptor ?? "pipe", "pipe"],
    detached: true,
  });
  run.output?.given();
  run.began?.(child.pid);
  let stopped: ExecutableEnd["stopped"];
  let cancelKill = (): void => {};

  function stop(why: NonNullable<ExecutableEnd["stopped"]>): void {
    if (stopped !== undefined) return;
    stopped = why;
    killGroup(child.pid, "SIGTERM");
    cancelKill = clock.after(LIMITS.execGraceMs, () => killGroup(child.pid, "SIGKILL"));
  }

  const cancelDeadline = clock.after(run.deadlineMs, () => stop("deadline"));
  const cancel = (): void => stop("cancel");
  if (run.signal?.aborted === true) cancel();
  run.signal?.addEventListener("abort", cancel, { once: true });
  const output = readWhole(run.output?.read ?? streamOf(child.stdout), run.outputBytes, () => stop("output"));
  const words = readLines(child.stderr, run.said);
  void give(child.stdin, run.input);
  try {
    const status = await child.exited;
    cancelDeadline();
    // What it wrote is in the pipe by now, unless something else still holds it.
    const ended = Promise.all([output.ended, words.ended]);
    const outputHeld = !(await within(clock, LIMITS.execDrainMs, ended));
    if (stopped === undefined) await run.ended?.(child.pid);
    const endedBy = child.signalCode === null ? undefined : String(child.signalCode);
    return {
      output: output.bytes(),
      status: endedBy === undefined ? status : undefined,
      endedBy,
      stopped,
      outputHeld: outputHeld && stopped === undefined,
    };
  } finally {
    cancelDeadline();
    cancelKill();
    run.signal?.removeEventListener("abort", cancel);
    killGroup(child.pid, "SIGKILL");
    output.letGo();
    words.letGo();
  }
}

// --- internal ---

/** It is a number where a descriptor was given in its place, and then that is what is read. */
function streamOf(stdout: ReadableStream<Uint8Array> | number | undefined): AsyncIterable<Uint8Array> {
  return stdout instanceof ReadableStream ? stdout : (async function* () {})();
}

interface Sink {
  write(bytes: Uint8Array): unknown;
  flush(): unknown;
  end(): unknown;
}

/** It may never read, or close its input at once: then it does without. */
async function give(stdin: Sink, input: ExecutableRun["input"]): Promise<void> {
  try {
    if (input instanceof Uint8Array) await stdin.write(input);
    else for await (const piece of input) await put(stdin, piece);
    await stdin.end();
  } catch {
    // EPIPE.
  }
}

async function put(stdin: Sink, piece: Uint8Array): Promise<void> {
  await stdin.write(piece);
  await stdin.flush();
}

interface Reading {
  readonly ended: Promise<void>;
  /** Something that left the group may hold the other end for ever: it must not cost a descriptor for as long. */
  letGo(): void;
}

function readAll(source: AsyncIterable<Uint8Array>, take: (chunk: Uint8Array) => void): Reading {
  // An iterator of a stream can't be ended while it waits; what is no stream is looked after by whoever gave it.
  const reader = source instanceof ReadableStream ? source.getReader() : undefined;
  async function read(): Promise<void> {
    if (reader === undefined) for await (const chunk of source) take(chunk);
    else for (let next = await reader.read(); !next.done; next = await reader.read()) take(next.value);
  }
  return {
    // Rejects where it was killed while it wrote.
    ended: read().catch(() => {}),
    letGo: () => void reader?.cancel().catch(() => {}),
  };
}

function readWhole(stream: AsyncIterable<Uint8Array>, most: number, tooMuch: () => void) {
  const chunks: Uint8Array[] = [];
  let length = 0;
  const reading = readAll(stream, (chunk) => {
    length += chunk.length;
    if (length > most) tooMuch();
    else chunks.push(chunk);
  });
  return { ...reading, bytes: () => new Uint8Array(Buffer.concat(chunks)) };
}

function readLines(stream: ReadableStream<Uint8Array>, said: (line: string) => void): Reading {
  const decoder = new TextDecoder();
  let rest = "";
  const reading = readAll(stream, (chunk) => {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    // Without an end it is given in pieces: a program may write for ever and never end a line.
    rest = lines.pop() ?? "";
    for (const line of lines) said(line);
    if (rest.length > LIMITS.logTextChars) {
      said(rest);
      rest = "";
    }
  });
  const ended = reading.ended.then(() => {
    if (rest !== "") said(rest);
  });
  return { ...reading, ended };
}

/** Whether it settled in time. */
async function within(clock: Clock, ms: number, work: Promise<unknown>): Promise<boolean> {
  const late = Promise.withResolvers<boolean>();
  const cancel = clock.after(ms, () => late.resolve(false));
  try {
    return await Promise.race([work.then(() => true), late.promise]);
  } finally {
    cancel();
  }
}

function killGroup(leader: number, signal: "SIGTERM" | "SIGKILL"): void {
  try {
    process.kill(-leader, signal);
  } catch {
    // Nobody of it is left.
  }
}
