/**
 * One guest from its start to its end: requests to it, what it asks for, and the reason why it is over. Believes nothing that it
 * says: what is no message of ours ends it. Called by room.ts.
 */
import type { Clock } from "../../../base/clock.ts";
import { fail, type VoxError } from "../../../base/errors.ts";
import { LIMITS } from "../../../base/limits.ts";
import type { Guest, PluginDoor } from "../runtime.ts";
import { stopFailure } from "./guest-failure.ts";
import { parseGuestMessage, type GuestMessage } from "./guest-message.ts";
import { makeGuestRequests, type GuestAnswer } from "./guest-requests.ts";
import type { LinkKind } from "./guest-link.ts";
import { makeHostCallDesk } from "./host-call-desk.ts";

export interface RoomBody {
  /** Settles when the guest's end listens; rejects when it does not in time. */
  readonly ready: Promise<void>;
  /** Sends a request; at the deadline the room ends with `late`. */
  ask(question: Question): Promise<GuestAnswer>;
  /** Why the room is over, once it is. */
  ended(): VoxError | undefined;
  /** Settles when the guest is gone. The first reason counts. */
  end(reason: VoxError): Promise<void>;
}

export interface Question {
  /** What the guest is doing meanwhile, as an error message names it. */
  readonly task: string;
  readonly text: (id: number) => string;
  readonly deadlineMs: number;
  readonly late: VoxError;
}

export function makeRoomBody(clock: Clock, kind: LinkKind, guest: Guest, door: PluginDoor): RoomBody {
  const ready = Promise.withResolvers<void>();
  const cleanUp: (() => void)[] = [];
  let ended: VoxError | undefined;
  let task = "its start";

  function end(reason: VoxError): Promise<void> {
    if (ended === undefined) {
      ended = reason;
      for (const clean of cleanUp) clean();
      ready.reject(reason);
      // Nobody waits for an answer that could say it: so the plugin's log does.
      if (task === AFTER_HOOK && reason.code !== "plugin.stopped") door.log("error", reason.message);
      requests.rejectAll(reason);
    }
    return link.end();
  }

  const link = kind.open(guest, {
    message(data) {
      if (ended !== undefined) return;
      const message = parseGuestMessage(data);
      if (message !== undefined && take(message)) return;
      void end(fail("plugin.protocol", `${guest.name} sent something that is no message`));
    },
    gone: (reason, detail) => void end(stopFailure(reason, detail, guest.name, task)),
  });
  const requests = makeGuestRequests(clock, link.send);
  const calls = makeHostCallDesk(door, link);

  /** False where no guest of ours would say that. */
  function take(message: GuestMessage): boolean {
    if (message.method === undefined) return requests.answer(message.id, message);
    if (message.method === "host")
      return calls.open(message.id, message.params.method, message.params.params);
    if (message.method === "cancel") calls.cancel(message.params.id);
    else if (message.method === "log")
      door.log(message.params.level, message.params.text, message.params.fields);
    else if (message.method === "ready") ready.resolve();
    else void end(stopFailure(message.params.reason, message.params.detail, guest.name, task));
    return true;
  }

  const cancelStart = limitStart(clock, ready.promise, () => {
    void end(stopFailure("crash", "it did not start in time", guest.name, task));
  });
  const stopWatching = link.watchFree({
    isFree: () => task === AFTER_HOOK,
    overrun: () => void end(stopFailure("deadline", "", guest.name, AFTER_HOOK)),
  });
  cleanUp.push(cancelStart, stopWatching, calls.close);

  return {
    ready: ready.promise,
    ended: () => ended,
    end,
    async ask(question) {
      if (ended !== undefined) throw ended;
      task = question.task;
      try {
        return await requests.send(question.text, question.deadlineMs, () => void end(question.late));
      } finally {
        task = AFTER_HOOK;
      }
    },
  };
}

// --- internal ---

const AFTER_HOOK = "work after its hook";

function limitStart(clock: Clock, ready: Promise<void>, late: () => void): () => void {
  const cancel = clock.after(LIMITS.roomStartMs, late);
  void ready.then(cancel, () => {});
  return cancel;
}
