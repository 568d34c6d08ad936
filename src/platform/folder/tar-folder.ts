/**
 * Turns a listed folder into a tar stream that depends on names and content alone: no owners, no times, modes 644 or 755.
 * Reads each file as it is sent, and fails where one is no longer what was listed. Called by api/folder.ts and engine/providers/docker.
 */
import type { EventEmitter } from "node:events";
import { pack, type Pack } from "tar-stream";
import { readEntry, type FolderEntry } from "./list-folder.ts";

/** Throws `upload.invalid` from the iteration when a file changed since it was listed. */
export async function* tarFolder(
  entries: readonly FolderEntry[],
): AsyncGenerator<Uint8Array, void, undefined> {
  const tar = pack();
  const filled = fill(tar, entries).catch((error: unknown) => tar.destroy(error as Error));
  for await (const chunk of tar) yield chunk as Uint8Array;
  await filled;
}

// --- internal ---

async function fill(tar: Pack, entries: readonly FolderEntry[]): Promise<void> {
  for (const entry of entries) {
    const sink = tar.entry({
      name: entry.path,
      size: entry.size,
      mode: entry.executable && entry.link === undefined ? 0o755 : 0o644,
      mtime: new Date(0),
      type: entry.link === undefined ? "file" : "symlink",
      ...(entry.link === undefined ? {} : { linkname: entry.link }),
    });
    // An error reaches the reader through `tar`; without a listener here it would end the process.
    sink.on("error", () => {});
    const closed = happened(sink, "close");
    const content = entry.link === undefined ? readEntry(entry) : [];
    for await (const chunk of content) {
      if (!sink.write(chunk)) await Promise.race([happened(sink, "drain"), closed]);
      if (tar.destroyed) return;
    }
    sink.end(undefined);
    await closed;
  }
  tar.finalize();
}

function happened(emitter: Pick<EventEmitter, "once">, event: string): Promise<void> {
  return new Promise((resolve) => {
    emitter.once(event, () => resolve());
  });
}
