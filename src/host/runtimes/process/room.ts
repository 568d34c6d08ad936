/**
 * The process rooms: a plugin in a confined process of its own, WebAssembly and JavaScript alike. Only the daemon's side; what runs
 * in the process is in child/. Composed by the daemon.
 */
import { LIMITS } from "../../../base/limits.ts";
import type { OpenRoom } from "../runtime.ts";
import type { LinkKind } from "../wire/guest-link.ts";
import { openRoom } from "../wire/room.ts";
import { openProcessLink, type ProcessDeps } from "./process-link.ts";

/**
 * @example
 * const open = openProcessRoom({ start: makeStartConfined({ clock }), clock, uidFor: () => undefined, confined: () => true });
 * const room = await open(guest, door);
 */
export function openProcessRoom(deps: ProcessDeps): OpenRoom {
  const kind: LinkKind = {
    open: (guest, on) => openProcessLink(deps, guest, on),
    // The code went before, as bytes (code-frames.ts).
    loadParams: ({ code }) => ({ kind: code.kind }),
    loadMs: ({ entryMs }) => entryMs + LIMITS.processLoadMs,
  };
  return (guest, door) => openRoom(deps.clock, kind, guest, door);
}
