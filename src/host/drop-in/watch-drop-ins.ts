/**
 * Watches the folders of drop-ins while the daemon runs: says in its log what comes and goes, and at once stops a plugin whose folder is
 * no longer what was consented to. It starts nothing: consent does. That a changed plugin can't start is checked where it starts, not
 * here. Made by plugins.ts.
 */
import { mkdirSync } from "node:fs";
import type { Log } from "../../base/log.ts";
import { messageOf } from "../../base/errors.ts";
import { printable } from "../../base/text.ts";
import type { Announce } from "../installed/announce.ts";
import type { Roster } from "../installed/roster.ts";
import type { ApprovedFolders } from "./approved-folders.ts";
import type { DropIns } from "./drop-ins.ts";
import type { Ranked } from "./find-drop-ins.ts";

export interface DropInWatch {
  start(): void;
  close(): void;
}

export interface DropInWatchDeps {
  /** The first is the daemon's own. */
  readonly dropInFolders: readonly string[];
  readonly dropIns: Pick<DropIns, "survey">;
  readonly folders: ApprovedFolders;
  readonly roster: Pick<Roster, "all">;
  readonly announce: Announce;
  readonly log: Log;
  readonly watch: (folder: string, changed: () => void) => { close(): void };
  /** Told when a plugin may run again, or no longer. */
  readonly changed: (plugin: string) => void;
}

export function makeDropInWatch(deps: DropInWatchDeps): DropInWatch {
  const { log, roster, announce } = deps;
  const state = { isClosed: false, isBusy: false, isDue: false };
  const watches: { close(): void }[] = [];
  let known: ReadonlyMap<string, string> = new Map();
  const stopped = new Map<string, string>();

  async function tell(): Promise<void> {
    const { others } = await deps.dropIns.survey();
    const now = new Map(others.map((ranked) => [ranked.dropIn.folder, wordsOf(ranked)]));
    for (const { dropIn } of others) {
      const words = now.get(dropIn.folder);
      if (words === undefined || words === known.get(dropIn.folder)) continue;
      log[dropIn.problem === undefined ? "info" : "warn"](words, {
        plugin: printable(dropIn.name),
        folder: dropIn.folder,
      });
    }
    known = now;
  }

  async function compare(): Promise<void> {
    for (const { row, supervisor } of roster.all()) {
      const reason = await deps.folders.changedBecause(row);
      if (reason === stopped.get(row.name)) continue;
      if (reason === undefined) {
        stopped.delete(row.name);
        announce(row.name, "info", "it may run again: its folder is what was consented to");
      } else {
        stopped.set(row.name, reason);
        announce(row.name, "warn", `it does not run: ${reason}`);
      }
      // What it failed at meanwhile is forgotten too.
      supervisor.restart();
      deps.changed(row.name);
    }
  }

  /** So that a plugin is copied into it, and not in its place. Somebody's home is his own business. */
  function makeOwn(): void {
    const [own] = deps.dropInFolders;
    if (own === undefined) return;
    try {
      mkdirSync(own, { recursive: true, mode: 0o700 });
    } catch (error) {
      log.warn("the folder of plugins can't be made", { folder: own, problem: messageOf(error) });
    }
  }

  async function look(): Promise<void> {
    state.isDue = true;
    if (state.isBusy) return;
    state.isBusy = true;
    while (state.isDue && !state.isClosed) {
      state.isDue = false;
      try {
        await compare();
        await tell();
      } catch (error) {
        log.error("looking at the folders of plugins failed", { error: messageOf(error) });
      }
    }
    state.isBusy = false;
  }

  return {
    start() {
      makeOwn();
      for (const folder of deps.dropInFolders) watches.push(deps.watch(folder, () => void look()));
    },
    close() {
      state.isClosed = true;
      for (const watch of watches.splice(0)) watch.close();
    },
  };
}

// --- internal ---

function wordsOf({ dropIn: { manifest, problem }, behind }: Ranked): string {
  if (behind !== undefined) return `a plugin in a folder is passed over: ${printable(behind)}`;
  if (problem !== undefined) return `a plugin in a folder can't be used: ${printable(problem.message)}`;
  return `a plugin in a folder waits for consent: version ${manifest?.version ?? "unknown"}`;
}
