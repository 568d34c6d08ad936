/** A full disk is the operator's news, not a bug: gives it its own code, and any other error back as it is. */
import { fail } from "../../base/errors.ts";

export function diskFull(error: unknown): unknown {
  const { code } = error as { readonly code?: unknown };
  if (code !== "ENOSPC" && code !== "EDQUOT") return error;
  return fail("disk.full", "the disk that holds the data directory is full", { cause: error });
}
