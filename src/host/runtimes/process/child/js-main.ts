/**
 * A JavaScript plugin in its process: joins the desk, which speaks with the daemon, to the engine that the process itself is. The
 * plugin lives in the same world; what it breaks there is its own. Called by plugin-role.ts, after the process is sealed.
 */
import { messageOf } from "../../../../base/errors.ts";
import { frameText } from "../../../frames/frame.ts";
import { openFrameSocket } from "../../../frames/frame-socket.ts";
import { makeGuestDesk } from "../../js/guest-desk.ts";
import { reportUncaught } from "../../js/prelude/log.ts";
import { collectGarbage, nativeSetTimeout } from "../../js/natives.ts";
import { notice } from "../../wire/messages.ts";
import type { ReceivedCode } from "../code-frames.ts";
import { endProcess } from "./end-process.ts";
import { makeGarbageMeter } from "./garbage-meter.ts";
import { makeProcessGuest } from "./js-guest.ts";

export function runJsPlugin(descriptor: number, { bytes, sourceMap }: ReceivedCode): void {
  const decoder = new TextDecoder();
  const map = decoder.decode(sourceMap);
  /** Until it is taken: the engine keeps a copy of its own. */
  let text = decoder.decode(bytes);
  const usesBuiltins = text.includes("node:");
  const socket = openFrameSocket(descriptor, {
    frame(frame) {
      pass(frame.length);
      void desk.receive(frameText(frame) ?? "").catch(broken);
    },
    tooLong: endProcess,
    closed: endProcess,
  });
  const desk = makeGuestDesk({
    post(text) {
      pass(text.length);
      socket.sendText(text);
    },
    codeOf() {
      const code = { text, sourceMap: map };
      text = "";
      return code;
    },
    start: (options) => makeProcessGuest(options, usesBuiltins),
  });
  const garbage = makeGarbageMeter();
  function pass(bytes: number): void {
    garbage.passed(bytes);
    // Later, when nothing holds the message any more.
    if (garbage.isDue()) nativeSetTimeout(() => collectGarbage(true), 0);
  }
  /** A fault of ours, or of what the plugin made of the world: nothing else would tell of it. */
  function broken(error: unknown): void {
    socket.sendText(notice("stopped", { reason: "crash", detail: messageOf(error) }));
  }
  // What the prelude does not see: a callback that one of the engine's own modules calls. As in the Worker, where nobody waits
  // for a promise, nobody hears of it.
  process.on("uncaughtException", (error) => reportUncaught("a callback", error));
  process.on("unhandledRejection", () => {});
}
