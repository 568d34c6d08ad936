/** The door of a plugin that was granted nothing: its own store works, the rest is denied. Notes what was let through. */
import { fail } from "../../src/base/errors.ts";
import { recordedDoor, type RecordedDoor } from "../js-room.ts";

export function ungrantedDoor(): { readonly door: RecordedDoor; readonly performed: ReadonlySet<string> } {
  const performed = new Set<string>();
  const door = recordedDoor((method, params) => {
    if (!method.startsWith("kv.")) {
      throw fail("capability.denied", `${method} is not granted`, {
        details: { capability: "network_outbound" },
      });
    }
    performed.add(method);
    const key = (params as { key?: unknown } | undefined)?.key;
    return key === "tickets" ? { $b64: "not base64!" } : null;
  });
  return { door, performed };
}
