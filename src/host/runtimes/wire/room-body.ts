/**
 * One guest from its start to its end: requests to it, what it asks for, and the reason why it is over. Believes nothing that it
 * says: what is no message of ours ends it. Called by room.ts.
 */
import type { Clock } from "../../../base/clock.ts";
import { fail, type VoxError } from "../../../base/errors.ts";
import { LIMITS } from "../../../base/limits.ts";
import { makeFloodGate } from "../../capabilities/flood-gate.ts";
import type { Guest, PluginDoor } from "../runtime.ts";
import { stopFailure } from "./guest-failure.ts";
import { parseGuestMessage, type GuestMessage } from "./guest-message.ts";
import { makeGuestRequests, type GuestAnswer } from "./guest-requests.ts";
import type { LinkKind } from "./guest-link.ts";
import { makeHostCallDesk } from "./host-call-desk.ts";
import { LOG_CHARS_MAX } from "./messages.ts";

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
  let isReady = false;
  let asked = 0;
  let task = "its start";
  /** What a call that is open ends with at its deadline. */
  let late: VoxError | undefined;
  // A guest of ours keeps to a tenth of it (outbox.ts): so nobody has to be told of what is dropped.
  const notices = makeFloodGate(
    clock,
    { burst: LIMITS.guestNotices, perSecond: LIMITS.guestNoticesPerSecond },
    () => {},
  );

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
      if (message !== undefined && take(message, (data as string).length)) return;
      void end(fail("plugin.protocol", `${guest.name} sent something that is no message`));
    },
    gone: (reason, detail) => void end(stopFailure(reason, detail, guest.name, task)),
    failed: (error) => void end(error),
  });
  const requests = makeGuestRequests(clock, link.send);
  const calls = makeHostCallDesk(door, link, () => task);

  /** False where no guest of ours would say that. */
  function take(message: GuestMessage, chars: number): boolean {
    if (message.method === undefined) return requests.answer(message.id, message);
    if (message.method === "host") return calls.open(message, chars);
    if (message.method === "ready") return takeReady();
    if (message.method === "stopped") takeStop(message.params);
    else if (!notices.pass() || chars > NOTICE_CHARS_MAX) return false;
    else if (message.method === "cancel") calls.cancel(message.params.id);
    else door.log(message.params.level, message.params.text, message.params.fields);
    return true;
  }

  /** A guest that stops itself at its deadline and the daemon's own clock come at the same time: the words are the same. */
  function takeStop({ reason, detail }: StoppedMessage["params"]): void {
    const ownWords = reason === "deadline" ? late : undefined;
    void end(ownWords ?? stopFailure(reason, detail, guest.name, task));
  }

  function takeReady(): boolean {
    const isFirst = !isReady;
    isReady = true;
    ready.resolve();
    return isFirst;
  }

  const cancelStart = limitStart(clock, ready.promise, () => {
    void end(stopFailure("crash", "it did not start in time", guest.name, task));
  });
  const stopWatching = link.watchFree({
    isFree: () => task === AFTER_HOOK,
    asked: () => asked,
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
      late = question.late;
      asked++;
      try {
        return await requests.send(question.text, question.deadlineMs, () => void end(question.late));
      } finally {
        task = AFTER_HOOK;
        late = undefined;
      }
    },
  };
}

// --- internal ---

type StoppedMessage = Extract<GuestMessage, { readonly method: "stopped" }>;

/** With some for what stands around it. */
const NOTICE_CHARS_MAX = LOG_CHARS_MAX + 1024;

const AFTER_HOOK = "work after its hook";

function limitStart(clock: Clock, ready: Promise<void>, late: () => void): () => void {
  const cancel = clock.after(LIMITS.roomStartMs, late);
  void ready.then(cancel, () => {});
  return cancel;
}
