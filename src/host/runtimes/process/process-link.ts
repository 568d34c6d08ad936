/**
 * One process and the socket to it: text out, messages in, and an end that always comes. Believes nothing: the process may be the
 * plugin's from the first byte that it sends. Called by room.ts.
 */
import type { Clock } from "../../../base/clock.ts";
import { fail } from "../../../base/errors.ts";
import { LIMITS } from "../../../base/limits.ts";
import { formatBytes } from "../../../base/text.ts";
import type { ConfinedSpec, StartConfined } from "../../../platform/confine/confined-process.ts";
import { FRAME_BYTES_MAX, frameText } from "../../frames/frame.ts";
import { openFrameSocket } from "../../frames/frame-socket.ts";
import type { Guest } from "../runtime.ts";
import type { GuestLink, LinkEvents } from "../wire/guest-link.ts";
import { sendCode } from "./code-frames.ts";
import { reportEnd } from "./report-end.ts";
import { watchEnd } from "./watch-end.ts";
import { watchFreeTime } from "./watch-free-time.ts";

export interface ProcessDeps {
  readonly start: StartConfined;
  readonly clock: Clock;
  /** The user that a plugin's processes run as; undefined where the daemon may not choose. */
  readonly uidFor: (plugin: string) => number | undefined;
  /** False where the operator allowed unconfined processes. Asked at each start. */
  readonly confined: () => boolean;
}

/** Throws what `start` throws: the machine can't confine a process. */
export function openProcessLink(
  { start, clock, uidFor, confined }: ProcessDeps,
  { name, code, entryMs }: Guest,
  on: LinkEvents,
): GuestLink {
  if (code.kind === "exec") throw new Error("the process room runs no executable");
  const child = start({
    role: ["__plugin", code.kind, name],
    uid: uidFor(name),
    confined: confined(),
    ...wallsOf(code.kind),
  });
  const violated = (what: string) => on.failed(fail("plugin.protocol", `${name} ${what}`));
  const closed = Promise.withResolvers<void>();
  const socket = openFrameSocket(child.descriptor, {
    frame(bytes) {
      const text = frameText(bytes);
      if (text === undefined) violated("sent a frame that is not UTF-8");
      else on.message(text);
    },
    tooLong: () => violated(`announced a frame of more than ${formatBytes(FRAME_BYTES_MAX)}`),
    closed: closed.resolve,
  });
  void watchEnd(clock, child, closed.promise).then((end) => reportEnd(end, name, on));
  sendCode(socket, code);
  return {
    send(text) {
      socket.sendText(text);
      if (socket.unread() > UNREAD_BYTES_MAX) violated("does not read what is sent to it");
    },
    unread: socket.unread,
    watchFree: (free) => watchFreeTime(clock, { cpuMs: () => child.cpuMs(), budgetMs: entryMs }, free),
    async end() {
      child.kill();
      socket.close();
      await child.ended;
    },
  };
}

/** What holds a plugin's process of this kind, beside its user. */
export function wallsOf(
  kind: Guest["code"]["kind"],
): Pick<ConfinedSpec, "profile" | "memoryBytes" | "reservedBytes"> {
  return {
    profile: "guest",
    memoryBytes: LIMITS.processMemoryBytes,
    reservedBytes: kind === "wasm" ? LIMITS.wasmReservedBytes : 0,
  };
}

// --- internal ---

/** Beyond what makes the daemon keep answers back there is room for the words that say so, but not for ever. */
const UNREAD_BYTES_MAX = LIMITS.guestUnreadChars + LIMITS.messageBytes / 8;
