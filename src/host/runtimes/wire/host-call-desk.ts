/**
 * The guest's calls of the broker while they wait: each is answered once, at most a bounded number wait at a time, and all are
 * aborted when the room ends. Called by room-body.ts.
 */
import { fail, toWire, type VoxError } from "../../../base/errors.ts";
import { LIMITS } from "../../../base/limits.ts";
import { formatBytes } from "../../../base/text.ts";
import type { PluginDoor } from "../runtime.ts";
import type { GuestLink } from "./guest-link.ts";
import { failure, result } from "./messages.ts";

export interface HostCallDesk {
  /** False where the id is in use: no guest of ours sends that. */
  open(id: number, method: string, params: unknown): boolean;
  /** Ends the call's work. The call is answered all the same: until then it counts. */
  cancel(id: number): void;
  readonly close: () => void;
}

export function makeHostCallDesk(
  door: PluginDoor,
  { send, unread }: Pick<GuestLink, "send" | "unread">,
): HostCallDesk {
  const waiting = new Map<number, AbortController>();

  async function run(
    id: number,
    method: string,
    params: unknown,
    controller: AbortController,
  ): Promise<void> {
    const answer = await answerText(door, id, method, params, controller.signal);
    if (waiting.get(id) !== controller) return;
    waiting.delete(id);
    send(unread() + answer.length <= LIMITS.guestUnreadChars ? answer : failure(id, toWire(tooMuchUnread())));
  }

  return {
    open(id, method, params) {
      if (waiting.has(id)) return false;
      if (waiting.size >= LIMITS.guestPendingCalls) {
        const limit = fail(
          "capability.limit",
          `more than ${LIMITS.guestPendingCalls} calls wait for an answer`,
        );
        send(failure(id, toWire(limit)));
        return true;
      }
      const controller = new AbortController();
      waiting.set(id, controller);
      void run(id, method, params, controller);
      return true;
    },
    cancel: (id) => waiting.get(id)?.abort(),
    close() {
      const controllers = [...waiting.values()];
      waiting.clear();
      for (const controller of controllers) controller.abort();
    },
  };
}

// --- internal ---

/** A guest that asks and does not listen would have the daemon keep a hundred answers of the largest size. */
function tooMuchUnread(): VoxError {
  return fail("capability.limit", "the plugin has not come to read the answers that were sent to it before");
}

async function answerText(
  door: PluginDoor,
  id: number,
  method: string,
  params: unknown,
  signal: AbortSignal,
): Promise<string> {
  try {
    const text = result(id, await door.invoke(method, params, signal));
    if (text.length <= LIMITS.messageBytes) return text;
    const size = formatBytes(text.length);
    throw fail(
      "capability.limit",
      `the answer of ${method} has ${size}, at most ${formatBytes(LIMITS.messageBytes)}`,
    );
  } catch (error) {
    return failure(id, toWire(error));
  }
}
