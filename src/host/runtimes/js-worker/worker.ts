/**
 * Entry of a Worker that holds one plugin: joins the desk, which speaks with the daemon, to a QuickJS guest. Holds no authority of
 * its own. Started by src/workers.ts; the other end is worker-link.ts.
 */
import { LIMITS } from "../../../base/limits.ts";
import { makeGuestDesk } from "../js/guest-desk.ts";
import { notice } from "../wire/messages.ts";
import { makeGuest } from "./guest.ts";
import { CONTROL, LEFT, STOP, type WorkerStart } from "./worker-messages.ts";

declare const self: Worker;

self.addEventListener("message", begin, { once: true });

// The engine's glue tells every stop to the console, which is the daemon's: a plugin must not be able to fill its log.
console.error = () => {};

// --- internal ---

function begin({ data: start }: MessageEvent<WorkerStart>): void {
  const post = self.postMessage.bind(self) as (text: string) => void;
  const desk = makeGuestDesk({
    post,
    codeOf: ({ code = "", sourceMap }) => ({ text: code, sourceMap }),
    start: (options) => makeGuest({ ...start, ...options }),
  });
  const listen = ({ data: text }: MessageEvent<string>): void => {
    if (text === STOP) {
      leave();
      return;
    }
    Atomics.add(start.control, CONTROL.read, text.length);
    void desk.receive(text);
  };
  /** Nothing of the guest runs from here on; when the linger is over, the thread has nothing to wait for and ends by itself. */
  function leave(): void {
    self.removeEventListener("message", listen);
    desk.close();
    setTimeout(() => {}, LIMITS.workerLingerMs);
    post(LEFT);
  }
  self.addEventListener("message", listen);
  post(notice("ready", {}));
}
