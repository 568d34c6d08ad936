/**
 * The guest's calls of the broker while they wait: each is answered once, at most a bounded number wait at a time, and all are
 * aborted when the room ends, with what they opened. Called by room-body.ts.
 */
import { fail, toWire, type VoxError } from "../../../base/errors.ts";
import { LIMITS } from "../../../base/limits.ts";
import { formatBytes } from "../../../base/text.ts";
import type { CallOrigin, PluginDoor } from "../runtime.ts";
import type { GuestLink } from "./guest-link.ts";
import { failure, fitsMessage, result } from "./messages.ts";

export interface HostCallDesk {
  /** False where the id is in use: no guest of ours sends that. `chars` is the length of the message. */
  open(call: HostCall, chars: number): boolean;
  /** Ends the call's work. The call is answered all the same: until then it counts. */
  cancel(id: number): void;
  readonly close: () => void;
}

export interface HostCall {
  readonly id: number;
  readonly params: { readonly method: string; readonly params?: unknown };
}

export function makeHostCallDesk(
  door: PluginDoor,
  { send, unread }: Pick<GuestLink, "send" | "unread">,
  task: () => string,
): HostCallDesk {
  const waiting = new Map<number, WaitingCall>();
  const life = new AbortController();
  let held = 0;

  async function run({ id, params }: HostCall, call: WaitingCall): Promise<void> {
    const origin = { life: life.signal, chars: call.chars, during: task() };
    const answer = await answerText(door, id, params, call.controller.signal, origin);
    if (waiting.get(id) !== call) return;
    waiting.delete(id);
    held -= call.chars;
    send(unread() + answer.length <= LIMITS.guestUnreadChars ? answer : failure(id, toWire(tooMuchUnread())));
  }

  return {
    open(request, chars) {
      const { id } = request;
      if (waiting.has(id)) return false;
      const refusal =
        unread() > LIMITS.guestUnreadChars ? tooMuchUnread() : refuse(waiting.size, held + chars);
      if (refusal !== undefined) {
        send(failure(id, toWire(refusal)));
        return true;
      }
      const call = { controller: new AbortController(), chars };
      waiting.set(id, call);
      held += chars;
      void run(request, call);
      return true;
    },
    cancel: (id) => waiting.get(id)?.controller.abort(),
    close() {
      const calls = [...waiting.values()];
      waiting.clear();
      for (const { controller } of calls) controller.abort();
      life.abort();
    },
  };
}

// --- internal ---

interface WaitingCall {
  readonly controller: AbortController;
  readonly chars: number;
}

/** A guest of ours refuses these by itself, and first: so the envelopes' few characters are no matter. */
function refuse(calls: number, chars: number): VoxError | undefined {
  if (calls >= LIMITS.guestPendingCalls) {
    return fail("capability.limit", `more than ${LIMITS.guestPendingCalls} calls wait for an answer`);
  }
  if (chars <= LIMITS.guestPendingBytes + LIMITS.messageBytes) return undefined;
  const most = formatBytes(LIMITS.guestPendingBytes);
  return fail("capability.limit", `the calls that wait have more than ${most}`);
}

/** A guest that asks and does not listen would have the daemon keep a hundred answers of the largest size. */
function tooMuchUnread(): VoxError {
  return fail("capability.limit", "the plugin has not come to read the answers that were sent to it before");
}

async function answerText(
  door: PluginDoor,
  id: number,
  { method, params }: HostCall["params"],
  signal: AbortSignal,
  origin: CallOrigin,
): Promise<string> {
  let text: string;
  try {
    text = result(id, await door.invoke(method, params, signal, origin));
  } catch (error) {
    text = failure(id, toWire(error));
  }
  return fitsMessage(text) ? text : failure(id, toWire(tooLarge(method, text.length)));
}

/** An error too: its words may be those of whoever the method asked. */
function tooLarge(method: string, chars: number): VoxError {
  const [size, most] = [chars, LIMITS.messageBytes].map(formatBytes);
  return fail("capability.limit", `the answer of ${method} has ${size}, at most ${most}`);
}
