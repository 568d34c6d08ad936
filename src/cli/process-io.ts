/** The real terminal: the only file of the CLI that touches `process`. Made once, by main.ts of the program. */
import { write } from "node:fs";
import { basename } from "node:path";
import { isatty } from "node:tty";
import { systemClock } from "../base/clock.ts";
import { fail, messageOf, systemCode } from "../base/errors.ts";
import { formatBytes } from "../base/text.ts";
import { OutputClosed, type Io, type Sink, type Source } from "./io.ts";

export function processIo(): Io {
  return {
    program: basename(process.argv0) === "devbox" ? "devbox" : "voxeltron",
    stdout: makeSink(1),
    stderr: makeSink(2),
    stdin: makeSource(),
    environment: process.env,
    uid: process.getuid?.() ?? 0,
    ask,
    askHidden,
    onInterrupt(handler) {
      process.on("SIGINT", handler);
      return () => process.off("SIGINT", handler);
    },
  };
}

// --- internal ---

/**
 * Writes to the descriptor itself: opening Bun's stream for it costs more time than all the rest of `--version`, and the
 * write waits in a thread for a slow reader, so nothing is lost at the end of the process.
 */
function makeSink(descriptor: 1 | 2): Sink {
  return {
    isTerminal: isatty(descriptor),
    get columns() {
      return (descriptor === 1 ? process.stdout : process.stderr).columns ?? 80;
    },
    async write(data) {
      let left: Uint8Array = typeof data === "string" ? Buffer.from(data) : data;
      while (left.byteLength > 0) left = left.subarray(await writeSome(descriptor, left));
    },
  };
}

/** How much was taken; 0 where the reader is slow and its pipe does not block. */
async function writeSome(descriptor: number, bytes: Uint8Array): Promise<number> {
  try {
    return await writeDescriptor(descriptor, bytes);
  } catch (error) {
    const code = systemCode(error) ?? "";
    if (CLOSED.includes(code)) throw new OutputClosed(messageOf(error), { cause: error });
    if (code === "ENOSPC")
      throw fail("disk.full", "the disk that the output goes to is full", { cause: error });
    if (code !== "EAGAIN") throw error;
    await systemClock.sleep(RETRY_MS);
    return 0;
  }
}

/** The pipe has no reader, the terminal is gone, or it was never open. */
const CLOSED: readonly string[] = ["EPIPE", "EIO", "EBADF"];

const RETRY_MS = 5;

function writeDescriptor(descriptor: number, bytes: Uint8Array): Promise<number> {
  return new Promise((resolve, reject) => {
    write(descriptor, bytes, (error, written) => {
      if (error === null) resolve(written);
      else reject(error);
    });
  });
}

function makeSource(): Source {
  return {
    get isTerminal() {
      return isatty(0);
    },
    async readAll(bytesMax) {
      const chunks: Uint8Array[] = [];
      let size = 0;
      for await (const chunk of Bun.stdin.stream()) {
        size += chunk.byteLength;
        if (size > bytesMax)
          throw fail("request.too_large", `standard input holds more than ${formatBytes(bytesMax)}`);
        chunks.push(chunk);
      }
      return Buffer.concat(chunks, size);
    },
  };
}

/** The terminal stays in its own line mode, so nothing is left to repair whatever happens to us. */
async function ask(question: string): Promise<string | undefined> {
  const { createInterface } = await import("node:readline");
  const lines = createInterface({ input: process.stdin, terminal: false });
  return new Promise((resolve) => {
    const interrupt = () => settle(undefined);
    function settle(answer: string | undefined): void {
      process.off("SIGINT", interrupt);
      lines.off("close", interrupt);
      lines.close();
      process.stdin.pause();
      if (answer === undefined) process.stderr.write("\n");
      resolve(answer);
    }
    process.on("SIGINT", interrupt);
    lines.once("line", settle);
    lines.once("close", interrupt);
    // Last: whoever sees the question may answer at once, with Ctrl-C too.
    process.stderr.write(question);
  });
}

async function askHidden(question: string): Promise<string | undefined> {
  const { stdin } = process;
  stdin.setRawMode(true);
  stdin.setEncoding("utf8");
  stdin.resume();
  return new Promise((resolve, reject) => {
    let typed = "";
    function settle(answer: string | undefined, more = ""): void {
      stdin.off("data", take);
      stdin.off("end", interrupt);
      stdin.setRawMode(false);
      stdin.pause();
      process.stderr.write("\n");
      // The first line alone would be stored as if it were all.
      if (more.trim() === "") resolve(answer);
      else
        reject(
          fail("usage.invalid", "several lines were pasted, wanted one", { hint: "pass a file or a pipe" }),
        );
    }
    const interrupt = () => settle(undefined);
    function take(data: string): void {
      let seen = 0;
      for (const character of data) {
        seen += character.length;
        if (character === "\r" || character === "\n") return settle(typed, data.slice(seen));
        if (character === CTRL_C || (character === CTRL_D && typed === "")) return settle(undefined);
        if (character === DELETE || character === BACKSPACE) typed = [...typed].slice(0, -1).join("");
        else if (character >= " ") typed += character;
      }
    }
    stdin.on("data", take);
    stdin.once("end", interrupt);
    // Last: what is typed at the very sight of the question must not be shown either.
    process.stderr.write(question);
  });
}

const CTRL_C = "\u0003";
const CTRL_D = "\u0004";
const BACKSPACE = "\b";
const DELETE = "\u007F";
