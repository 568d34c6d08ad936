/**
 * Runs scenarios in one column: one guest serves all of them until it has to be stopped, as in the daemon, where the supervisor opens
 * the next. Gives what was seen; conformance.test.ts compares.
 */
import { systemClock } from "../../src/base/clock.ts";
import { isVoxError } from "../../src/base/errors.ts";
import type { GuestCode, PluginDoor, Room } from "../../src/host/runtimes/runtime.ts";
import { makeSupervisor, type Supervisor } from "../../src/host/runtimes/supervisor.ts";
import { until } from "../harness.ts";
import { makeDoor, type ScenarioDoor } from "./door.ts";
import { CONFIG, eventOf, PLUGIN } from "./program.ts";
import type { Column } from "./rooms.ts";
import type { Scenario, Step } from "./scenario.ts";

/** A column whose language can be compiled here. */
export type Playable = Column & { readonly code: GuestCode };

export interface Stage {
  run(scenario: Scenario): Promise<Seen>;
  close(): Promise<void>;
}

export interface Seen {
  readonly outcomes: readonly Outcome[];
  readonly door: Pick<ScenarioDoor, "calls" | "lines" | "waiting">;
  readonly newGuests: number;
}

export type Outcome =
  | { readonly answer: unknown }
  | {
      readonly error: {
        readonly code: string;
        readonly message: string;
        readonly details: Readonly<Record<string, unknown>>;
      };
    };

export function makeStage(column: Playable): Stage {
  const shared = makePlace(column, makeDoor().methods);
  return {
    async run(scenario) {
      const door = makeDoor(scenario.door);
      const place = scenario.fresh === true ? makePlace(column, door.methods) : shared;
      try {
        if (scenario.newGuests !== undefined) await place.call(makeDoor(), NOTHING);
        const before = place.opened();
        const outcomes = await perform(place, door, scenario);
        return { outcomes, door, newGuests: place.opened() - before };
      } finally {
        if (place !== shared) await place.close();
        door.close();
      }
    },
    close: () => shared.close(),
  };
}

// --- internal ---

const PATIENCE_MS = 15_000;
const NOTHING: Step = { program: "nothing", expect: { answer: null } };

async function perform(place: Place, door: ScenarioDoor, { steps, together }: Scenario): Promise<Outcome[]> {
  if (together === true) return Promise.all(steps.map((step) => place.call(door, step)));
  const outcomes: Outcome[] = [];
  for (const step of steps) outcomes.push(await place.call(door, step));
  return outcomes;
}

interface Place {
  call(door: ScenarioDoor, step: Step): Promise<Outcome>;
  /** Rooms so far. */
  opened(): number;
  close(): Promise<void>;
}

/** A supervisor, and what it can't be asked: its room, and how often it opened one. */
function makePlace(column: Playable, methods: PluginDoor["methods"]): Place {
  let opened = 0;
  let room: Room | undefined;
  let deadlineMs = PATIENCE_MS;
  let door = makeDoor();
  const supervisor = makeSupervisor({
    plugin: PLUGIN.name,
    clock: systemClock,
    idleMs: () => PATIENCE_MS,
    async open() {
      opened++;
      const guest = { ...PLUGIN, code: column.code, config: CONFIG, entryMs: 5_000 };
      room = await column.open(guest, {
        methods,
        invoke: (method, ...call) => door.invoke(method, ...call),
        log: (level, text, fields) => door.log(level, text, fields),
      });
      return {
        room,
        kind: column.room,
        config: CONFIG,
        get deadlineMs() {
          return deadlineMs;
        },
      };
    },
  });
  return {
    async call(now, step) {
      door = now;
      deadlineMs = step.deadlineMs ?? PATIENCE_MS;
      const heard = now.calls.length + now.lines.length;
      const controller = new AbortController();
      const outcome = outcomeOf(callSupervisor(supervisor, step, controller.signal));
      if (step.interrupt !== undefined) {
        await until(() => now.calls.length + now.lines.length > heard, { what: "a sign of the guest" });
        if (step.interrupt === "cancel") controller.abort();
        else await room?.stop();
      }
      return outcome;
    },
    opened: () => opened,
    close: () => supervisor.close(),
  };
}

function callSupervisor(supervisor: Supervisor, step: Step, signal: AbortSignal): Promise<unknown> {
  const hook = step.hook ?? "on_alert";
  return supervisor.call(hook, eventOf(hook, step.program, step.payload), { signal });
}

async function outcomeOf(work: Promise<unknown>): Promise<Outcome> {
  try {
    return { answer: await work };
  } catch (error) {
    if (!isVoxError(error)) throw error;
    return { error: { code: error.code, message: error.message, details: error.details } };
  }
}
