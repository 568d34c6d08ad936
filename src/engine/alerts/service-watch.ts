/**
 * Built-in alerts about services and the host: one that should run is down, one restarts again and again, the disk is full. A service
 * that was measured just now is up; of the others the provider is asked. Made by the daemon.
 */
import type { Clock } from "../../base/clock.ts";
import { LIMITS } from "../../base/limits.ts";
import type { AlertRow } from "../../state/alerts.ts";
import { fewAtATime } from "../few-at-a-time.ts";
import type { Finding, Watch } from "./finding.ts";
import { readerOf, valueText } from "./rule.ts";
import type { Readings } from "./rule-watch.ts";

export interface ServiceWatchDeps {
  /** Services that should run and are not being deployed, stopped or started just now. */
  readonly wanted: () => readonly string[];
  readonly readings: () => Readings;
  /** "running", another state in a word, or "unknown" where its provider does not answer. */
  readonly stateOf: (service: string) => Promise<string>;
  readonly clock: Clock;
}

export function makeServiceWatch({ wanted, readings, stateOf, clock }: ServiceWatchDeps): Watch {
  const downSince = new Map<string, number>();
  const restarts = new Map<string, Restarts>();

  /** Of those that were not measured. Several at a time: one provider that hangs makes each of its services take long. */
  async function statesOf(unseen: readonly string[]): Promise<ReadonlyMap<string, string>> {
    const states = new Map<string, string>();
    await fewAtATime(unseen, LIMITS.alertStatesAsked, async (service) => {
      // It may be removed meanwhile: the next look does not want it any more.
      states.set(service, await stateOf(service).catch(() => "unknown"));
    });
    return states;
  }

  /** Undefined: it is up. */
  function lookDown(service: string, state: string, isFiring: boolean): Finding | undefined {
    if (UP.has(state)) {
      downSince.delete(service);
      return undefined;
    }
    const since = downSince.get(service) ?? clock.monotonic();
    downSince.set(service, since);
    const held = clock.monotonic() - since;
    const isOn = isFiring || held >= LIMITS.alertDownMs;
    return {
      name: "service-down",
      subject: service,
      service,
      state: isOn ? "on" : "unclear",
      metric: "up",
      value: 0,
      threshold: 1,
      message: `${service} should run, and is ${state === "unknown" ? "not to be seen: its provider does not answer" : state}`,
    };
  }

  function lookRestarts(service: string, count: number | undefined, isFiring: boolean): Finding | undefined {
    if (count === undefined) return isFiring ? restarting(service, 0, "unclear") : undefined;
    const now = clock.monotonic();
    const before = restarts.get(service);
    // A new instance begins at 0.
    const isNew = before === undefined || count < before.last;
    const at = isNew ? [] : before.at.filter((each) => now - each < LIMITS.alertRestartsWithinMs);
    for (let more = isNew ? 0 : count - before.last; more > 0; more--) at.push(now);
    restarts.set(service, { last: count, at: at.slice(-LIMITS.alertRestarts) });
    const isOn = at.length >= LIMITS.alertRestarts || (isFiring && at.length > 0);
    // After a restart of the daemon nothing is known of the time before.
    if (!isOn && !(isFiring && before === undefined)) return undefined;
    return restarting(service, at.length, isOn ? "on" : "unclear");
  }

  return {
    what: "services",
    owns: (name) => NAMES.has(name),
    async *look(firing) {
      const fires = new Set(firing.map(({ name, subject }) => `${name} ${subject}`));
      const { services, host } = readings();
      const names = wanted();
      const states = await statesOf(names.filter((name) => !services.has(name)));
      for (const service of names) {
        const isFiring = fires.has(`service-down ${service}`);
        const down = lookDown(service, states.get(service) ?? "running", isFiring);
        if (down !== undefined) yield down;
        const count = services.get(service)?.restarts;
        const loop = lookRestarts(service, count, fires.has(`restart-loop ${service}`));
        if (loop !== undefined) yield loop;
      }
      for (const gone of [...downSince.keys()].filter((name) => !names.includes(name)))
        downSince.delete(gone);
      for (const gone of [...restarts.keys()].filter((name) => !names.includes(name))) restarts.delete(gone);
      yield* lookAtDisk(host, firing);
    },
  };
}

// --- internal ---

const NAMES: ReadonlySet<string> = new Set(["service-down", "restart-loop", "disk"]);

/** Restarting is another alert's business. */
const UP: ReadonlySet<string> = new Set(["running", "restarting", "deploying"]);

interface Restarts {
  readonly last: number;
  /** Monotonic: of the last ones. */
  readonly at: readonly number[];
}

function restarting(service: string, value: number, state: Finding["state"]): Finding {
  const minutes = LIMITS.alertRestartsWithinMs / 60_000;
  return {
    name: "restart-loop",
    subject: service,
    service,
    state,
    metric: "restarts",
    value,
    threshold: LIMITS.alertRestarts,
    message: `${service} restarted ${value} times or more within ${minutes} minutes`,
  };
}

function* lookAtDisk(host: Readings["host"], firing: readonly AlertRow[]): Generator<Finding> {
  const value = host === undefined ? undefined : diskPercent(host);
  const before = firing.find(({ name }) => name === "disk");
  if (value === undefined) {
    if (before !== undefined) yield { ...before, state: "unclear" };
    return;
  }
  // Not over before there is some room again: a disk that is filling goes back and forth.
  const threshold = LIMITS.alertDiskPercent - (before === undefined ? 0 : DISK_ROOM_PERCENT);
  if (value < threshold) return;
  yield {
    name: "disk",
    subject: "",
    service: null,
    state: "on",
    metric: "disk_percent",
    value,
    threshold: LIMITS.alertDiskPercent,
    message: `the disk of the data directory is ${valueText("disk_percent", value)} full`,
  };
}

const DISK_ROOM_PERCENT = 2;

const diskPercent = readerOf("disk_percent");
