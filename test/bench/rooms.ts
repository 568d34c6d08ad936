/**
 * Each kind of room beside what users would pick instead: the same Extism module called in a confined process of ours, by Node with
 * Extism's own SDK, and by Extism's native runtime (wasmtime). Also what a confined process costs to start and to keep.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { systemClock } from "../../src/base/clock.ts";
import { openJsWorkerRoom } from "../../src/host/runtimes/js-worker/room.ts";
import { loadGuestModule } from "../../src/host/runtimes/js-worker/guest-module.ts";
import { openProcessRoom } from "../../src/host/runtimes/process/room.ts";
import type {
  GuestCode,
  OpenRoom,
  PluginDoor,
  Room,
  WalledRoomKind,
} from "../../src/host/runtimes/runtime.ts";
import { makeStartConfined } from "../../src/platform/confine/confined-process.ts";
import { startJsWorker } from "../../src/workers.ts";
import { EXECUTABLE } from "../e2e/machine.ts";
import { ownModule } from "../wasm/modules.ts";
import { median, quantile, timed, type Row } from "./measure.ts";

const CALLS = 3_000;
const STARTS = 30;
const AT_ONCE = 50;
const EVENT = { text: "x".repeat(1000) };
/** Where the module lies for the other hosts. */
const MODULE = "dist/bench-echo.wasm";

export async function benchRooms(): Promise<Row[]> {
  await Bun.write(MODULE, await ownModule("echo"));
  const rows: Row[] = [];
  for (const kind of Object.keys(ROOMS) as WalledRoomKind[]) rows.push(...(await callsIn(kind)));
  rows.push(...(await elsewhere()), ...(await starts()));
  for (const kind of ["wasm-process", "js-process"] as const) rows.push(...(await manyAtOnce(kind)));
  return rows;
}

// --- internal ---

const JS: GuestCode = {
  kind: "js",
  text: "export default { on_alert: (event) => event };",
  sourceMap: undefined,
};

function wasm(): GuestCode {
  return { kind: "wasm", bytes: new Uint8Array(readFileSync(MODULE)) };
}

function processRoom(confined = true): OpenRoom {
  const start = makeStartConfined({ clock: systemClock, command: (...role) => [EXECUTABLE, ...role] });
  // One for each, as the daemon has it: how many threads a user may have is limited.
  let uid = 1_900_000_000;
  const uidFor = (): number | undefined => (process.getuid?.() === 0 ? ++uid : undefined);
  return openProcessRoom({ start, clock: systemClock, uidFor, confined: () => confined });
}

const ROOMS: Readonly<Record<WalledRoomKind, () => { readonly open: OpenRoom; readonly code: GuestCode }>> = {
  "js-worker": () => ({
    open: openJsWorkerRoom({ startWorker: startJsWorker, guestModule: loadGuestModule, clock: systemClock }),
    code: JS,
  }),
  "js-process": () => ({ open: processRoom(), code: JS }),
  "wasm-process": () => ({ open: processRoom(), code: wasm() }),
};

const DOOR: PluginDoor = { methods: [], invoke: async () => null, log() {} };

function opened(open: OpenRoom, code: GuestCode): Promise<Room> {
  return open({ name: "bench", version: "1.0.0", code, config: {}, entryMs: 10_000 }, DOOR);
}

async function callsIn(kind: WalledRoomKind): Promise<Row[]> {
  const { open, code } = ROOMS[kind]();
  const room = await opened(open, code);
  const call = () => room.call("on_alert", EVENT, { deadlineMs: 10_000 });
  for (let i = 0; i < 300; i++) await call();
  const times: number[] = [];
  for (let i = 0; i < CALLS; i++) times.push(await timed(call));
  await room.stop();
  const extra = kind === "js-worker" ? {} : { aim: "≤ 150 µs" };
  return callRows(
    `${kind}: a call with 1 KB in and out`,
    times.map((ms) => ms * 1000),
    extra,
  );
}

function callRows(
  what: string,
  microseconds: readonly number[],
  extra: { readonly aim?: string } = {},
): Row[] {
  const runs = microseconds.length;
  const sum = microseconds.reduce((total, each) => total + each, 0);
  return [
    { what: `${what}, p50`, value: median(microseconds), unit: "µs", runs, ...extra },
    { what: `${what}, p99`, value: quantile(microseconds, 0.99), unit: "µs", runs },
    { what: `${what}, one after the other`, value: runs / (sum / 1e6), unit: "/s", runs },
  ];
}

/** The same module and input, by other hosts. */
async function elsewhere(): Promise<Row[]> {
  const folder = join(import.meta.dir, "extism");
  const words = [MODULE, "on_alert", String(CALLS), JSON.stringify(EVENT)];
  const rows: Row[] = [];
  const hosts = [
    { what: "Node, Extism SDK in its thread", command: ["node", join(folder, "node.mjs")], env: {} },
    {
      what: "Node, Extism SDK in a Worker",
      command: ["node", join(folder, "node.mjs")],
      env: { IN_WORKER: "1" },
    },
    {
      what: "Extism on wasmtime, in its process",
      command: [await python(), join(folder, "native.py")],
      env: {},
    },
  ];
  for (const { what, command, env } of hosts) {
    const child = Bun.spawn([...command, ...words], {
      env: { PATH: process.env["PATH"] ?? "", ...env },
      stdout: "pipe",
      stderr: "ignore",
    });
    const text = await new Response(child.stdout).text();
    if ((await child.exited) === 0)
      rows.push(...callRows(`${what}: the same call`, JSON.parse(text) as number[]));
    else process.stderr.write(`${what}: not to be had here, left out\n`);
  }
  return rows;
}

/** A Python that has the package extism, made in dist/ where there is none. */
async function python(): Promise<string> {
  const folder = "dist/bench-python";
  const found = join(folder, "bin/python");
  if (existsSync(join(folder, "ready"))) return found;
  for (const command of [
    ["python3", "-m", "venv", folder],
    [join(folder, "bin/pip"), "install", "--quiet", "extism==1.1.1", "extism-sys==1.41.0"],
  ]) {
    const child = Bun.spawn(command, { stdout: "ignore", stderr: "ignore", env: process.env });
    if ((await child.exited) !== 0) return found;
  }
  await Bun.write(join(folder, "ready"), "");
  return found;
}

async function starts(): Promise<Row[]> {
  const ways = {
    "js-process, confined: start until it takes events": () => opened(processRoom(), JS),
    "js-process, unconfined: the same": () => opened(processRoom(false), JS),
    "wasm-process, confined: start until it takes events": () => opened(processRoom(), wasm()),
    "js-worker: the same": () => opened(ROOMS["js-worker"]().open, JS),
  };
  const times = new Map<string, number[]>(Object.keys(ways).map((what) => [what, []]));
  for (let i = 0; i < STARTS; i++)
    for (const [what, open] of Object.entries(ways)) {
      let room: Room | undefined;
      times.get(what)?.push(await timed(async () => (room = await open())));
      await room?.stop();
    }
  return [...times].map(([what, values]) => ({
    what,
    value: median(values),
    unit: "ms",
    runs: STARTS,
    ...(what.includes(", confined") ? { aim: "≤ 60 ms" } : {}),
  }));
}

async function manyAtOnce(kind: WalledRoomKind): Promise<Row[]> {
  const rooms: Room[] = [];
  const { open, code } = ROOMS[kind]();
  const before = children();
  const took = await timed(async () => {
    for (let i = 0; i < AT_ONCE; i++) rooms.push(await opened(open, code));
  });
  for (const room of rooms) await room.call("on_alert", EVENT, { deadlineMs: 10_000 });
  const shares = children()
    .filter((pid) => !before.includes(pid))
    .map(proportionalMegabytes)
    .filter((share) => !Number.isNaN(share));
  const rounds = 20;
  const all = await timed(async () => {
    for (let round = 0; round < rounds; round++)
      await Promise.all(rooms.map((room) => room.call("on_alert", EVENT, { deadlineMs: 10_000 })));
  });
  await Promise.all(rooms.map((room) => room.stop()));
  return [
    {
      what: `${AT_ONCE} plugins in a ${kind}, one started after the other`,
      value: took,
      unit: "ms",
      runs: 1,
    },
    {
      what: `each of ${AT_ONCE} idle plugins in a ${kind} (PSS)`,
      value: median(shares),
      unit: "MB",
      runs: shares.length,
    },
    {
      what: `calls of ${AT_ONCE} plugins in a ${kind} at once`,
      value: (rounds * AT_ONCE) / (all / 1000),
      unit: "/s",
      runs: rounds * AT_ONCE,
    },
  ];
}

function children(): number[] {
  const listed = readFileSync(`/proc/${process.pid}/task/${process.pid}/children`, "latin1");
  return listed.split(" ").filter(Boolean).map(Number);
}

/** The process's share of memory, with what it has in common with others divided by their number. */
function proportionalMegabytes(pid: number): number {
  try {
    const kilobytes = /^Pss:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, "latin1"))?.[1];
    return Number(kilobytes) / 1024;
  } catch {
    return Number.NaN;
  }
}
