/** What passes between the daemon and a Worker beside the messages of wire/: its start, its end, and the cells that both threads see. */
import { notice } from "../wire/messages.ts";

/** The first thing a Worker gets, not as a string: it can't be one. */
export interface WorkerStart {
  readonly module: WebAssembly.Module;
  readonly control: Int32Array;
}

/** Cells of `control`, which both threads see. */
export const CONTROL = {
  /** Not 0: the guest must stop at its next check. */
  stop: 0,
  /** Goes up at each entry into the guest and at each return: odd while the guest runs. */
  entries: 1,
  /** Characters of messages that the Worker has read so far; wraps around. */
  read: 2,
  cells: 3,
} as const;

/** Asks a Worker to end its own thread: what it holds by then is of no interest any more. */
export const STOP = notice("stop", {});

/** The Worker's answer: its guest will not run again. */
export const LEFT = notice("left", {});
