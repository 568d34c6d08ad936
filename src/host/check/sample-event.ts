/** Where events for a check are from: the engine makes them, and this room may not know it. Passed in by daemon/offline-check.ts. */
import type { HookName } from "../../sdk/index.ts";

/** A made-up event of the hook, such as a real one could be, with an id of its own. */
export type SampleEvent = (hook: HookName) => Readonly<Record<string, unknown>>;
