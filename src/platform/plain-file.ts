/**
 * Reads a file that the operator named: bounded, and plain files only, because a pipe would never end. Used by notification channels
 * and by certificates.
 */
import { closeSync, constants, fstatSync, openSync, readFileSync } from "node:fs";
import { systemCode } from "../base/errors.ts";

/** Its text, or why it can't be used, as one clause that names no path; `cause`: what the system said. */
export type PlainFile = { readonly text: string } | { readonly problem: string; readonly cause?: unknown };

export function readPlainFile(path: string, maxBytes: number): PlainFile {
  try {
    // Opening a pipe without this would wait for somebody who writes to it.
    const descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const stat = fstatSync(descriptor);
      if (!stat.isFile()) return { problem: "it is no plain file" };
      if (stat.size > maxBytes) return { problem: `it has more than ${maxBytes} bytes` };
      if (stat.size === 0) return { problem: "it is empty" };
      return { text: readFileSync(descriptor, "utf8") };
    } finally {
      closeSync(descriptor);
    }
  } catch (error) {
    return { problem: systemCode(error) ?? "it can't be read", cause: error };
  }
}
