/**
 * Why the kernel does not start a file that is executable, as far as its first line tells: what it says of that itself ("no such file")
 * is true of the interpreter and reads as if it were of the file. Reads a few bytes and starts nothing. Called by host/runtimes/exec.
 */
import { closeSync, existsSync, openSync, readSync } from "node:fs";
import { quote } from "../base/text.ts";

export interface ScriptProblem {
  /** Of the file: "its first line asks for …". */
  readonly found: string;
  readonly hint: string;
}

/** Nothing where its first line is not what is wrong. */
export function scriptProblem(path: string): ScriptProblem | undefined {
  const line = firstLine(path);
  if (line === undefined) return undefined;
  const [, interpreter] = /^#![ \t]*([^ \t]+)/.exec(line) ?? [];
  if (interpreter === undefined)
    return isText(line)
      ? {
          found: `its first line is ${quote(line)}, and a script's begins with #!`,
          hint: "name what runs it in its first line, such as: #!/bin/sh",
        }
      : undefined;
  if (existsSync(interpreter)) return undefined;
  if (interpreter.endsWith("\r") && existsSync(interpreter.slice(0, -1)))
    return {
      found: "its lines end as Windows writes them, with a carriage return",
      hint: "write it with plain line ends: sed -i 's/\\r$//' FILE",
    };
  return {
    found: `its first line asks for ${quote(interpreter)}, which is not on this machine`,
    hint: "install that, or name what is there, such as: #!/usr/bin/env python3",
  };
}

// --- internal ---

/** The kernel looks at no more of it. */
const BYTES = 256;

function firstLine(path: string): string | undefined {
  try {
    const bytes = Buffer.alloc(BYTES);
    const file = openSync(path, "r");
    try {
      return bytes.toString("utf8", 0, readSync(file, bytes, 0, BYTES, 0)).split("\n")[0];
    } finally {
      closeSync(file);
    }
  } catch {
    return undefined;
  }
}

function isText(line: string): boolean {
  return !/[\p{Cc}\uFFFD]/u.test(line.replaceAll(/[\t\r]/g, ""));
}
