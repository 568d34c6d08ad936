/**
 * Does the folder that an installed plugin was dropped into still hold what was consented to? What runs is the daemon's own copy, so
 * nobody who writes there can make anything else run; but what its owner sees there, replaces or removes is meant to count. Reads
 * everything only where a name, time, size or mode changed. Called by installed/integrity.ts and watch-drop-ins.ts.
 */
import { lstat } from "node:fs/promises";
import { isVoxError } from "../../base/errors.ts";
import { quotePath } from "../../base/text.ts";
import { fingerprint } from "../../platform/folder/fingerprint.ts";
import type { PluginRow } from "../../state/plugins.ts";
import { digestOf } from "../package/digest.ts";
import { readDropIn } from "./read-drop-in.ts";

export type ApprovedRow = Pick<PluginRow, "name" | "digest" | "dropIn">;

export interface ApprovedFolders {
  /** In words; undefined where it does, and for a plugin that is in no such folder. */
  changedBecause(row: ApprovedRow): Promise<string | undefined>;
}

export function makeApprovedFolders(): ApprovedFolders {
  const seen = new Map<string, { readonly print: string; readonly reason: string | undefined }>();
  return {
    async changedBecause(row) {
      if (row.dropIn === null) return undefined;
      const print = `${row.digest} ${row.dropIn} ${await printOf(row.dropIn)}`;
      const known = seen.get(row.name);
      if (known?.print === print) return known.reason;
      const reason = await reasonOf(row.dropIn, row.digest);
      seen.set(row.name, { print, reason });
      return reason;
    },
  };
}

// --- internal ---

/** Of the folders above too: a right that they give to everybody counts from then on. */
async function printOf(folder: string): Promise<string> {
  const above = await Promise.all(
    placesAbove(folder).map(async (place) => {
      const found = await lstat(place).catch(() => undefined);
      return `${found?.mode} ${found?.uid} ${found?.ino}`;
    }),
  );
  const { text } = await fingerprint(folder);
  return `${above.join(" ")} ${text}`;
}

function placesAbove(folder: string): readonly string[] {
  return folder.split("/").map((_, index, parts) => parts.slice(0, index + 1).join("/") || "/");
}

async function reasonOf(folder: string, digest: string): Promise<string | undefined> {
  if ((await lstat(folder).catch(() => undefined)) === undefined)
    return `the folder ${quotePath(folder)} that it was taken from is gone`;
  try {
    const found = digestOf(await readDropIn(folder));
    return found === digest ? undefined : `what is in ${quotePath(folder)} is not what was consented to`;
  } catch (error) {
    if (!isVoxError(error)) throw error;
    const advice = error.hint === undefined ? "" : ` (${error.hint})`;
    return `what is in ${quotePath(folder)} can't be compared with what was consented to: ${error.message}${advice}`;
  }
}
