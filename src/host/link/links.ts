/**
 * Plugins that are linked to a folder: whatever changes in it is taken over while the daemon runs, and what can't be is said and
 * leaves the plugin as it was. Knows nothing of how a plugin is installed. Made by plugins.ts; told of every change of a plugin.
 */
import type { Clock } from "../../base/clock.ts";
import { isVoxError, messageOf } from "../../base/errors.ts";
import type { Announce } from "../installed/announce.ts";
import type { Roster } from "../installed/roster.ts";

export interface Links {
  /** Watches the plugin's folder, or ends that, as its row says now. */
  follow(plugin: string): void;
  /** Why the folder is not what runs; undefined where it is. */
  problemOf(plugin: string): string | undefined;
  close(): void;
}

export interface LinksDeps {
  readonly roster: Pick<Roster, "find">;
  /** Calls `changed` once at first, and after each change in the folder. */
  readonly watch: (folder: string, changed: () => void) => { close(): void };
  /** Takes over what is in the folder now. False where that is what runs. */
  readonly reload: (plugin: string, folder: string) => Promise<boolean>;
  readonly announce: Announce;
  readonly clock: Clock;
}

export function makeLinks(deps: LinksDeps): Links {
  const followed = new Map<string, Followed>();

  function end(plugin: string): void {
    followed.get(plugin)?.close();
    followed.delete(plugin);
  }

  return {
    follow(plugin) {
      const folder = deps.roster.find(plugin)?.row.link ?? undefined;
      const present = followed.get(plugin);
      // What was in the way, such as a grant that was missing, may be gone.
      if (folder === present?.folder) return present?.look();
      end(plugin);
      if (folder !== undefined) followed.set(plugin, followFolder(deps, plugin, folder));
    },
    problemOf(plugin) {
      const problem = followed.get(plugin)?.problem();
      // Of another version than the one that runs now it says nothing.
      return problem?.digest === deps.roster.find(plugin)?.row.digest ? problem?.text : undefined;
    },
    close() {
      for (const plugin of followed.keys()) end(plugin);
    },
  };
}

// --- internal ---

interface Followed {
  readonly folder: string;
  problem(): Problem | undefined;
  /** Looks at the folder though nothing in it changed. */
  look(): void;
  close(): void;
}

interface Problem {
  readonly text: string;
  /** Of the version that ran when it was found. */
  readonly digest: string | undefined;
}

function followFolder(deps: LinksDeps, plugin: string, folder: string): Followed {
  const { roster, watch, reload, announce, clock } = deps;
  const state = { isClosed: false, isBusy: false, isDue: false };
  let problem: Problem | undefined;

  async function take(): Promise<void> {
    const startedAt = clock.monotonic();
    try {
      const isNew = await reload(plugin, folder);
      problem = undefined;
      const tookMs = Math.round(clock.monotonic() - startedAt);
      if (isNew) announce(plugin, "info", `what changed in ${folder} was taken over in ${tookMs} ms`);
    } catch (error) {
      if (!state.isClosed) tell(error);
    }
  }

  function tell(error: unknown): void {
    const text = `what is in ${folder} was not taken over: ${messageOf(error)}`;
    // A folder that stays as it is must not fill the log.
    if (text !== problem?.text) announce(plugin, isVoxError(error) ? "warn" : "error", text);
    problem = { text, digest: roster.find(plugin)?.row.digest };
  }

  /** Changes that come meanwhile are one more change after it. */
  async function work(): Promise<void> {
    state.isDue = true;
    if (state.isBusy) return;
    state.isBusy = true;
    while (state.isDue && !state.isClosed) {
      state.isDue = false;
      await take();
    }
    state.isBusy = false;
  }

  const watching = watch(folder, () => void work());
  return {
    folder,
    problem: () => problem,
    look: () => void work(),
    close() {
      state.isClosed = true;
      watching.close();
    },
  };
}
