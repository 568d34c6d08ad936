/**
 * The rooms and the languages that they take: every pair is a column of the suite. A room is a row in ROOMS, a language a row in
 * LANGUAGES.
 */
import { join } from "node:path";
import { systemClock } from "../../src/base/clock.ts";
import {
  WALLED_ROOM_KINDS,
  type GuestCode,
  type OpenRoom,
  type WalledRoomKind,
} from "../../src/host/runtimes/runtime.ts";
import { openProcessRoom } from "../../src/host/runtimes/process/room.ts";
import { makeStartConfined } from "../../src/platform/confine/confined-process.ts";
import { confinementReport, whatIsMissing } from "../../src/platform/confine/report.ts";
import { startJsWorker } from "../../src/workers.ts";
import { makeGuestWasm } from "../../scripts/guest-wasm/make-guest-wasm.ts";
import { EXECUTABLE } from "../e2e/machine.ts";
import { lacks, needs } from "../harness.ts";
import { wasmModule } from "../wasm/modules.ts";
import type { Language, RoomTag } from "./scenario.ts";

export interface Column {
  readonly name: string;
  readonly room: WalledRoomKind;
  readonly tags: ReadonlySet<RoomTag>;
  readonly open: OpenRoom;
  /** Undefined where this machine can't have the room, or has no compiler for the language. */
  readonly code: GuestCode | undefined;
}

export async function columns(): Promise<readonly Column[]> {
  const all: Column[] = [];
  for (const room of WALLED_ROOM_KINDS) {
    const { kind, open, isHere } = ROOMS[room];
    for (const [language, row] of Object.entries(LANGUAGES)) {
      if (row.kind !== kind) continue;
      const tags = new Set([room, kind, language] as RoomTag[]);
      const code = isHere() ? await row.code() : undefined;
      all.push({ name: `${room}, ${language}`, room, tags, open: await open(), code });
    }
  }
  return all;
}

/** The room for modules, with another module than the conformance plugin. */
export async function wasmColumn(name: "behaviours" | "table-bomb"): Promise<Column> {
  const { open, isHere } = ROOMS["wasm-process"];
  const code = isHere() ? await wasm(name) : undefined;
  return { name, room: "wasm-process", tags: new Set(["wasm"]), open: await open(), code };
}

// --- internal ---

interface RoomRow {
  readonly kind: GuestCode["kind"];
  readonly open: () => Promise<OpenRoom>;
  /** False where this machine can't have it. */
  readonly isHere: () => boolean;
}

const ROOMS: Record<WalledRoomKind, RoomRow> = {
  "js-worker": { kind: "js", open: workerRoom, isHere: () => true },
  "js-process": { kind: "js", open: processRoom, isHere: canConfine },
  "wasm-process": { kind: "wasm", open: processRoom, isHere: canConfine },
};

const LANGUAGES: Record<
  Language,
  { readonly kind: GuestCode["kind"]; readonly code: () => Promise<GuestCode | undefined> }
> = {
  typescript: { kind: "js", code: typescript },
  assemblyscript: { kind: "wasm", code: () => wasm("conformance-assemblyscript") },
  c: { kind: "wasm", code: () => wasm("conformance-c") },
  rust: { kind: "wasm", code: () => wasm("conformance-rust") },
  go: { kind: "wasm", code: () => wasm("conformance-go") },
};

async function workerRoom(): Promise<OpenRoom> {
  await makeGuestWasm();
  const { loadGuestModule } = await import("../../src/host/runtimes/js-worker/guest-module.ts");
  const { openJsWorkerRoom } = await import("../../src/host/runtimes/js-worker/room.ts");
  return openJsWorkerRoom({ startWorker: startJsWorker, clock: systemClock, guestModule: loadGuestModule });
}

/** Confined, as in the daemon. */
async function processRoom(): Promise<OpenRoom> {
  const start = makeStartConfined({ clock: systemClock, command: (...role) => [EXECUTABLE, ...role] });
  return openProcessRoom({ start, clock: systemClock, uidFor, confined: () => true });
}

function canConfine(): boolean {
  if (!needs("linux") || !needs("compiled")) return false;
  const missing = whatIsMissing(confinementReport(), { confined: true, uid: uidFor() });
  if (missing !== undefined) lacks(`a kernel that confines: ${missing.found}`);
  return missing === undefined;
}

/** As root every plugin runs as a user of its own; this one is nobody's. */
function uidFor(): number | undefined {
  return process.getuid?.() === 0 ? 1_900_000_077 : undefined;
}

/** It imports types alone, so nothing has to be bundled. */
async function typescript(): Promise<GuestCode> {
  const source = await Bun.file(join(import.meta.dir, "plugin.ts")).text();
  const text = new Bun.Transpiler({ loader: "ts", target: "browser" }).transformSync(source);
  return { kind: "js", text, sourceMap: undefined };
}

async function wasm(name: Parameters<typeof wasmModule>[0]): Promise<GuestCode | undefined> {
  const bytes = await wasmModule(name);
  return bytes === undefined ? undefined : { kind: "wasm", bytes };
}
