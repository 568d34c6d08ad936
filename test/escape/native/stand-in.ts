/**
 * A stand-in for the daemon: has what attackers want, starts attackers as the daemon starts plugins, tells them what to try, and
 * says what changed. Answers the test, one line of JSON for each line on stdin. May be killed by an attack: that is seen, too.
 */
import { systemClock } from "../../../src/base/clock.ts";
import { wallsOf } from "../../../src/host/runtimes/process/process-link.ts";
import { makeStartConfined } from "../../../src/platform/confine/confined-process.ts";
import type { Places } from "./attack.ts";
import { startCarelessly, tellProcess, type Attacker, type Ending } from "./attacking-process.ts";
import { openAttackingRoom } from "./attacking-room.ts";
import type { Kernel } from "./kernel.ts";
import { makeScene } from "./scene.ts";
import { changes, type View } from "./scene-view.ts";

/**
 * `guest`, `module`, `bundler`: a sealed process, `module` with the walls of one that runs WebAssembly; `room`: a plugin in its room, in the product's executable. The others have nothing around them;
 * `careless` has the stand-in's environment and a descriptor of its own, too.
 */
export type Way = "guest" | "module" | "bundler" | "room" | "unconfined" | "unconfined room" | "careless";

export interface Request {
  readonly attack: string;
  readonly way: Way;
  readonly uid?: number;
  /** The attacker is ended after it. */
  readonly spent?: boolean;
}

export interface Report {
  readonly ending: Ending;
  readonly changes: readonly string[];
}

export interface Greeting {
  readonly places: Places;
}

export interface StandInNeeds {
  readonly secret: string;
  /** For rooms: the product's executable, and a file with the hostile plugin's code. */
  readonly executable: string;
  readonly plugin: string;
}

export async function standIn(kernel: Kernel, needs: StandInNeeds): Promise<void> {
  const becomeParentOfOrphans = 36;
  kernel.call("prctl", becomeParentOfOrphans, 1, 0, 0, 0);
  const scene = makeScene(kernel, needs.secret);
  const attackers = new Map<Way, Attacker>();
  const pids = new Set<number>();
  /** How everything was when it was looked at last. */
  let seen: View | undefined;
  const signals = listen(() => scene.signals++);

  async function attackerFor(way: Way, uid: number | undefined): Promise<Attacker> {
    const present = attackers.get(way);
    if (present !== undefined && !present.over()) return present;
    const attacker = await startAttacker(way, uid, needs, scene.places);
    pids.add(attacker.pid);
    attackers.set(way, attacker);
    // The first answer says that it is ready.
    await attacker.tell({ attack: "", places: scene.places });
    return attacker;
  }

  async function attempt({ attack, way, uid, spent = false }: Request): Promise<Report> {
    const attacker = await attackerFor(way, uid);
    const before = (seen ??= scene.look(pids));
    const ending = await attacker.tell({ attack, places: scene.places });
    await attacker.wake();
    await signals.settled();
    const after = scene.look(pids);
    seen = after;
    const report = { ending, changes: changes(before, after) };
    if (spent || ending.kind === "hung") {
      await attacker.end();
      attackers.delete(way);
    }
    if (CONFINED.has(way)) return report;
    if (report.changes.length > 0) {
      endOrphans(kernel, Object.keys(after));
      scene.reset();
      seen = undefined;
    }
    return report;
  }

  answer({ places: scene.places } satisfies Greeting);
  for await (const line of console) answer(await attempt(JSON.parse(line) as Request));
  for (const attacker of attackers.values()) await attacker.end();
}

// --- internal ---

const CONFINED: ReadonlySet<Way> = new Set<Way>(["guest", "module", "bundler", "room"]);
const MEMORY_BYTES = 512 * 1024 * 1024;

async function startAttacker(
  way: Way,
  uid: number | undefined,
  needs: StandInNeeds,
  places: Places,
): Promise<Attacker> {
  const confined = CONFINED.has(way);
  if (way === "room" || way === "unconfined room")
    return openAttackingRoom({ ...needs, uid: confined ? uid : undefined, confined });
  if (way === "careless") return tellProcess(startCarelessly(places));
  const start = makeStartConfined({ clock: systemClock, command: (...role) => [process.execPath, ...role] });
  return tellProcess(
    start({
      role: ["__attack"],
      uid: confined ? uid : undefined,
      confined,
      ...(way === "module"
        ? wallsOf("wasm")
        : { profile: way === "bundler" ? "bundler" : "guest", memoryBytes: MEMORY_BYTES }),
    }),
  );
}

/** Counts the signals that attackers may send; `settled` waits until those that were sent before have been counted. */
function listen(onSignal: () => void): { settled(): Promise<void> } {
  let settle = (): void => {};
  process.on("SIGUSR1", onSignal);
  process.on("SIGUSR2", () => settle());
  return {
    settled: () =>
      new Promise((resolve) => {
        settle = resolve;
        process.kill(process.pid, "SIGUSR2");
      }),
  };
}

/** What an attack without confinement left behind. */
function endOrphans(kernel: Kernel, seen: readonly string[]): void {
  for (const name of seen) {
    const pid = Number(/^process (\d+)$/.exec(name)?.[1]);
    if (Number.isNaN(pid)) continue;
    try {
      kernel.call("kill", pid, 9);
      const anyKindOfChild = 0x40000000;
      kernel.call("wait4", pid, 0, anyKindOfChild, 0);
    } catch {
      // Gone by itself.
    }
  }
}

function answer(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}
