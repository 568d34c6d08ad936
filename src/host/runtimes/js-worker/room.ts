/** The Worker room: a QuickJS guest in a Worker of the daemon. Composed by the daemon. */
import type { Guest, OpenRoom } from "../runtime.ts";
import type { LinkKind } from "../wire/guest-link.ts";
import { openRoom } from "../wire/room.ts";
import { openWorkerLink, type WorkerDeps } from "./worker-link.ts";

export interface JsWorkerDeps extends WorkerDeps {
  /** `loadGuestModule` of guest-module.ts. */
  readonly guestModule: () => Promise<WebAssembly.Module>;
}

/**
 * @example
 * const open = openJsWorkerRoom({ startWorker: startJsWorker, clock: systemClock, guestModule: loadGuestModule });
 * const room = await open(guest, door);
 * await room.call("on_deploy_success", event, { deadlineMs: 10_000 });
 */
export function openJsWorkerRoom(deps: JsWorkerDeps): OpenRoom {
  return async (guest, door) => {
    const module = await deps.guestModule();
    const kind: LinkKind = {
      open: ({ entryMs }, on) => openWorkerLink(deps, module, entryMs, on),
      loadParams,
    };
    return openRoom(deps.clock, kind, guest, door);
  };
}

// --- internal ---

function loadParams({ code }: Guest): ReturnType<LinkKind["loadParams"]> {
  if (code.kind !== "js") throw new Error(`the Worker room runs no ${code.kind}`);
  return { kind: "js", code: code.text, sourceMap: code.sourceMap };
}
