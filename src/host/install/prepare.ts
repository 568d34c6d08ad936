/**
 * Opens a room for a version that is not installed yet, beside the one that runs: does its code load, and does it have a function
 * for each hook that its manifest names? Until the room is taken, what its guest asks for is refused and what it logs is held
 * back. Called by switch-version.ts and, without a daemon, by check-files.ts.
 */
import { fail } from "../../base/errors.ts";
import { LIMITS } from "../../base/limits.ts";
import type { Manifest } from "../manifest/manifest.ts";
import type { OpenedRoom } from "../runtimes/room-keeper.ts";
import type { GuestCode, PluginDoor } from "../runtimes/runtime.ts";

export interface Prepared {
  /** Opens the door, and gives the room away. */
  take(): OpenedRoom;
  /** Stops the guest, unless the room was taken. */
  discard(): Promise<void>;
}

export interface Doors {
  /** Says what the version will be able to call; nothing of it is called. */
  readonly before: Pick<PluginDoor, "methods">;
  /** Where calls and log lines go once the room is taken. */
  readonly after: PluginDoor;
}

/** What is to be loaded, as errors name it. */
export interface Subject {
  readonly manifest: Pick<Manifest, "hooks">;
  /** The file that is run first. */
  readonly main: string;
  readonly kind: GuestCode["kind"];
}

/** Throws `plugin.no_hook`, and what `open` throws. */
export async function prepare(
  open: (door: PluginDoor) => Promise<OpenedRoom>,
  doors: Doors,
  { manifest, main, kind }: Subject,
): Promise<Prepared> {
  const held = holdDoor(doors);
  const opened = await open(held.door);
  let isTaken = false;
  const prepared: Prepared = {
    take() {
      isTaken = true;
      held.open();
      return opened;
    },
    async discard() {
      if (!isTaken) await opened.room.stop();
    },
  };
  const missing = manifest.hooks.find(({ hook }) => !opened.room.handlers.includes(hook));
  if (missing === undefined) return prepared;
  await prepared.discard();
  throw noHook(missing.hook, main, kind);
}

// --- internal ---

function noHook(hook: string, main: string, kind: GuestCode["kind"]): Error {
  const { what, add } = WORDS[kind];
  return fail("plugin.no_hook", `plugin.toml names ${hook}, and ${main} has no such ${what}`, {
    details: { hook, file: main },
    hint: `${add(hook, main)}, or take it out of [hooks]`,
  });
}

interface Words {
  readonly what: string;
  readonly add: (hook: string, main: string) => string;
}

const WORDS: Readonly<Record<GuestCode["kind"], Words>> = {
  js: { what: "function", add: (hook, main) => `add ${hook} to what ${main} exports as default` },
  wasm: { what: "export", add: (hook, main) => `export a function ${hook} without parameters from ${main}` },
  exec: { what: "event", add: (hook) => `add ${hook} to events` },
};

/** The same for the guest before and after; only what is behind it changes. */
function holdDoor({ before, after }: Doors): { readonly door: PluginDoor; open(): void } {
  let isOpen = false;
  const lines: Parameters<PluginDoor["log"]>[] = [];
  const door: PluginDoor = {
    methods: before.methods,
    async invoke(method, ...call) {
      if (isOpen) return after.invoke(method, ...call);
      throw fail("capability.denied", `${method} can't be used while the plugin's code is loaded`);
    },
    log(...line) {
      if (isOpen) after.log(...line);
      else if (lines.length < LIMITS.heldLogLines) lines.push(line);
    },
  };
  return {
    door,
    open() {
      isOpen = true;
      for (const line of lines.splice(0)) after.log(...line);
    },
  };
}
