/**
 * A room: the place where one plugin's code runs. The dispatcher and `plugin call` see only this interface; what kind of
 * wall stands around the guest is the room's own business. A room holds no authority: whatever its guest asks for goes
 * through the `PluginDoor` that it was made with.
 */
import type { GrantName } from "../../base/grant-names.ts";
import type { HookName } from "../../sdk/index.ts";
import type { LogLevel } from "../../base/log.ts";

/** One running guest. Calls come one at a time for each plugin (the supervisor sees to it). */
export interface Room {
  /**
   * Runs the guest's handler and gives what it returned (JSON), or throws `plugin.timeout`, `plugin.failed`,
   * `plugin.out_of_memory`, `plugin.crashed`, `plugin.no_hook` or `plugin.protocol`.
   */
  call(hook: HookName, event: unknown, options: CallOptions): Promise<unknown>;
  /** False once the guest had to be stopped: the room is then thrown away, never used again. */
  readonly alive: boolean;
  /** Names of the functions on the guest's default export, as found when the code was loaded: what it can handle. */
  readonly handlers: readonly string[];
  /** Ends the guest now, whatever it is doing. Idempotent; settles when nothing of it runs any more. */
  stop(): Promise<void>;
}

export interface CallOptions {
  /** Wall clock, from now. */
  readonly deadlineMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** Opens a room: loads the code and resolves when the guest is ready for its first hook, else throws `plugin.load_failed`. */
export type OpenRoom = (guest: Guest, door: PluginDoor) => Promise<Room>;

/** What is to run. */
export interface Guest {
  readonly name: string;
  readonly version: string;
  readonly code: GuestCode;
  readonly config: Readonly<Record<string, unknown>>;
  /** Budget of loading the code and of every entry that belongs to no call (a timer after its hook). */
  readonly entryMs: number;
  /** Undefined where it is only looked at. */
  readonly disk?: GuestDisk | undefined;
}

/** The plugin's files, for a room that runs one of them. */
export interface GuestDisk {
  readonly folder: string;
  /** Throws `plugin.tampered` where they are not those that were consented to. Quick while nothing was touched. */
  check(): Promise<void>;
}

export type GuestCode =
  | {
      readonly kind: "js";
      /** The stored bundle: one ES module whose default export is the plugin; it imports nothing but built-ins (see bundle/). */
      readonly text: string;
      /** Source map of `text`, so that errors name the author's file and line. */
      readonly sourceMap: string | undefined;
    }
  | { readonly kind: "wasm"; readonly bytes: Uint8Array }
  /** A file of the plugin's folder, run from there for the hooks that its manifest names. */
  | { readonly kind: "exec"; readonly entrypoint: string; readonly hooks: readonly HookName[] };

/** What is loaded into a room, and not run from the disk. */
export type LoadedCode = Exclude<GuestCode, { readonly kind: "exec" }>;

/** The rooms that code is loaded into, and that are walls. */
export const WALLED_ROOM_KINDS = ["js-worker", "js-process", "wasm-process"] as const;

export type WalledRoomKind = (typeof WALLED_ROOM_KINDS)[number];

/** All that there are. Which one a plugin gets is decided in choose-room.ts. */
export const ROOM_KINDS = [...WALLED_ROOM_KINDS, "exec"] as const;

export type RoomKind = (typeof ROOM_KINDS)[number];

/** The broker, bound to one plugin: all that a room knows of the host. */
export interface PluginDoor {
  /**
   * Every method of the broker's table, from which the guest's `ctx` is made. Those that were not granted have no handler
   * behind this door: calling one is refused in the daemon, with the words that say what is missing.
   */
  readonly methods: readonly MethodShape[];
  /** Throws VoxErrors with `capability.*` and other codes; they cross to the guest as plain data. */
  invoke(method: string, params: unknown, signal?: AbortSignal, origin?: CallOrigin): Promise<unknown>;
  log(level: LogLevel, text: string, fields?: Readonly<Record<string, unknown>>): void;
}

/** Where a call comes from. */
export interface CallOrigin {
  /** Aborts when the room ends: what its guest opened ends with it. */
  readonly life: AbortSignal;
  /** Characters of the message. */
  readonly chars: number;
  /** The hook that its guest runs, or other words for what it is doing. */
  readonly during?: string;
}

/** Names of the positional arguments, which together are the `params` object; "object": the one argument is that object. */
export type MethodArgs = readonly string[] | "object";

/**
 * How JavaScript meets a method: as a function that gives a promise; as one that gives an async iterable, or a connection, of the
 * stream in its answer; or not at all, as something else stands for it. To a WASM module all of them are host functions. "room": no
 * guest is offered it, a room asks it for itself.
 */
export type MethodSurface = "method" | "stream" | "connection" | "hidden" | "room";

/** What a guest must know of a method to offer it: `{name: "kv.set", args: ["key", "value"]}` becomes `ctx.kv.set(key, value)`. */
export interface MethodShape {
  readonly name: string;
  readonly args: MethodArgs;
  readonly surface: MethodSurface;
  /** The capabilities of which one opens it; empty: every plugin has it. */
  readonly needs: readonly GrantName[];
  /**
   * False where it was not granted, nor is it one that the operator may leave out: a module that imports it does not load, and the
   * error says which grant is missing. What is true here opens nothing: the door decides, at each call.
   */
  readonly linked: boolean;
  /** Of `needs`, what its manifest asks for: only that can be granted. Decides which advice that error gives. */
  readonly asked: readonly GrantName[];
}
