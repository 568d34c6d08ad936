/**
 * Where a secret comes from: a prompt without echo, a pipe or a file, never argv, which every user of the machine can read. Used by
 * `secret set` and `registry login`.
 */
import { open } from "node:fs/promises";
import { fail, unreadableBecause } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import { formatBytes, quote } from "../base/text.ts";
import { isInteractive, type Io } from "./io.ts";

/** Asks the person. `advice`: what to do where there is none. */
export async function askFor(
  io: Io,
  question: string,
  how: "ask" | "askHidden",
  advice: string,
): Promise<string> {
  if (!isInteractive(io)) throw fail("usage.invalid", "there is no terminal to ask at", { hint: advice });
  const answer = await io[how](question);
  if (answer === undefined) throw fail("operation.interrupted", "interrupted");
  if (answer === "") throw fail("usage.invalid", "nothing was typed");
  return answer;
}

/** `what` names it in the error: "password". */
export async function readPiped(io: Io, what: string): Promise<string> {
  return textOf(await io.stdin.readAll(LIMITS.requestBodyBytes), "standard input", what);
}

export async function readSecretFile(path: string): Promise<string> {
  return textOf(await readBounded(path), quote(path), "value");
}

// --- internal ---

/** Without the line end that editors and `echo` leave behind. */
function textOf(bytes: Uint8Array, where: string, what: string): string {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw fail("usage.invalid", `what ${where} holds is not text in UTF-8`, {
      hint: "a variable holds text: write binary data as base64, for instance",
    });
  }
  const value = text.replace(/\r?\n$/, "");
  if (value === "") throw fail("usage.invalid", `${where} holds no ${what}`);
  return value;
}

async function readBounded(path: string): Promise<Uint8Array> {
  try {
    await using file = await open(path, "r");
    // A pipe such as the shell's <(…) has no size: it is read up to the bound.
    const bytes = Buffer.alloc(LIMITS.envValueBytes + READ_MORE);
    let size = 0;
    for (;;) {
      const { bytesRead } = await file.read(bytes, size, bytes.length - size);
      if (bytesRead === 0) return bytes.subarray(0, size);
      size += bytesRead;
      if (size === bytes.length) throw new Error(`it has more than ${formatBytes(LIMITS.envValueBytes)}`);
    }
  } catch (error) {
    throw fail("usage.invalid", `the file ${quote(path)} can't be read: ${unreadableBecause(error)}`, {
      cause: error,
    });
  }
}

/** A line end, and one byte that tells that there is more. */
const READ_MORE = 3;
