/** setTimeout, setInterval and their like. The clock is the host's; the callbacks never leave the guest. */
import { LIMITS } from "../../../../base/limits.ts";
import { askText } from "./bridge.ts";
import { reportUncaught } from "./log.ts";
import { apply, create, makePromise, numberOf, promiseThen } from "./primordials.ts";

type Callback = (...args: unknown[]) => unknown;

export function setTimeout(callback: Callback, ms?: unknown, ...args: unknown[]): number {
  return start(callback, ms, args, false);
}

export function setInterval(callback: Callback, ms?: unknown, ...args: unknown[]): number {
  return start(callback, ms, args, true);
}

export function clearTimeout(id?: unknown): void {
  const key = numberOf(id);
  if (timers[key] === undefined) return;
  delete timers[key];
  count--;
  askText("timer.stop", `${key}`);
}

export function queueMicrotask(callback: () => void): void {
  if (typeof callback !== "function") throw new TypeError("queueMicrotask needs a function");
  const done = makePromise<void>((resolve) => resolve());
  const run = () => {
    try {
      callback();
    } catch (error) {
      reportUncaught("a microtask", error);
    }
  };
  apply(promiseThen, done, [run]);
}

/** The host says that a timer's time has come. */
export function fireTimer(id: number): void {
  const timer = timers[id];
  if (timer === undefined) return;
  if (timer.repeat) askText("timer.start", `${id}:${timer.ms}`);
  else {
    delete timers[id];
    count--;
  }
  try {
    apply(timer.callback, undefined, timer.args);
  } catch (error) {
    reportUncaught("a timer", error);
  }
}

// --- internal ---

const MS_MAX = 2 ** 31 - 1;

interface Timer {
  readonly callback: Callback;
  readonly args: unknown[];
  readonly ms: number;
  readonly repeat: boolean;
}

const timers = create(null) as Record<number, Timer>;
let count = 0;
let lastId = 0;

function start(callback: Callback, delay: unknown, args: unknown[], repeat: boolean): number {
  if (typeof callback !== "function") throw new TypeError("a timer needs a function");
  if (count >= LIMITS.guestTimers)
    throw new RangeError(`a plugin may have ${LIMITS.guestTimers} timers at once`);
  const wanted = numberOf(delay);
  const ms = wanted >= 1 ? (wanted <= MS_MAX ? wanted : MS_MAX) : 1;
  const id = ++lastId;
  timers[id] = { callback, args, ms, repeat };
  count++;
  askText("timer.start", `${id}:${ms}`);
  return id;
}
