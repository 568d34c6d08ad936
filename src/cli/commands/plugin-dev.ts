/** `plugin dev`: a folder that is being worked on, sent at every change, with the plugin's log in between. */
import type { Client } from "../../api/client.ts";
import { systemClock } from "../../base/clock.ts";
import { argument, command } from "../command.ts";
import { consume } from "../consume.ts";
import { makeDevSession } from "../dev-session.ts";
import { CONSENT_OPTIONS, parseTerms } from "../install-plugin.ts";
import type { Io } from "../io.ts";
import { jsonLine } from "../output.ts";
import { logLine } from "../plugin-text.ts";

const words = "plugin dev";

export const pluginDev = command({
  words,
  summary: "install a plugin from a folder, reload it at every change, and show its log",
  args: [{ name: "dir" }],
  options: CONSENT_OPTIONS,
  example: "voxeltron plugin dev ./my-plugin",
  notes: [
    "Ends with Ctrl-C; the plugin stays installed as it is then. Asks again when the plugin asks for something else.",
    "With --json each line is an object with an event: installed, reloaded, log or error.",
  ],
  async run(context) {
    const { io, options, flags } = context;
    const { json } = flags;
    const terms = parseTerms(options, words);
    const folder = argument(context, "dir");
    const client = await context.client();
    const over = new AbortController();
    const stopListening = io.onInterrupt(() => over.abort());
    const changes = await watchChanges(folder, over.signal);
    const session = makeDevSession({ io, client, folder, terms, json, signal: over.signal });
    let following: Promise<void> | undefined;
    try {
      do {
        await session.take();
        const plugin = session.plugin();
        if (plugin !== undefined) following ??= follow(client, io, { plugin, json, over });
        // Its failure is waited for at the end, and is the end.
        following?.catch(() => {});
        await changes.next();
      } while (!over.signal.aborted);
      await following;
    } finally {
      over.abort();
      changes.close();
      stopListening();
    }
    if (!json) await io.stderr.write(`no longer watching${await session.outcome()}\n`);
  },
});

// --- internal ---

interface Changes {
  /** Resolves at the next change, or at once where there was one meanwhile; and at the end. */
  next(): Promise<void>;
  close(): void;
}

/** Resolves when every later change will be heard. */
async function watchChanges(folder: string, signal: AbortSignal): Promise<Changes> {
  const { watchFolder } = await import("../../api/folder.ts");
  let news = Promise.withResolvers<void>();
  const ring = (): void => news.resolve();
  const watching = watchFolder(folder, systemClock, ring);
  signal.addEventListener("abort", ring);
  // Waiting for a change keeps no process alive.
  systemClock.sleep(Number.MAX_SAFE_INTEGER, signal).catch(() => {});
  const next = async (): Promise<void> => {
    await news.promise;
    if (!signal.aborted) news = Promise.withResolvers<void>();
  };
  await next();
  return { next, close: () => watching.close() };
}

/** Until the end. What breaks it off is the end, too. */
async function follow(
  client: Client,
  io: Io,
  { plugin, json, over }: { readonly plugin: string; readonly json: boolean; readonly over: AbortController },
): Promise<void> {
  const input = { name: plugin, follow: true, limit: 0 };
  try {
    await consume(client.stream("plugin.logs", input, { signal: over.signal }), (line) =>
      io.stdout.write(json ? jsonLine({ event: "log", line }) : logLine(line)),
    );
  } catch (error) {
    if (over.signal.aborted) return;
    throw error;
  } finally {
    over.abort();
  }
}
