/** Every attack, in one list. */
import type { Attack } from "./attack.ts";
import { BRIDGE } from "./bridge.ts";
import { BUNDLING } from "./bundling.ts";
import { HOST_POWERS } from "./host-powers.ts";
import { LANGUAGE } from "./language.ts";
import { RESOURCES } from "./resources.ts";

export const ATTACKS: readonly Attack[] = [...HOST_POWERS, ...LANGUAGE, ...BRIDGE, ...RESOURCES, ...BUNDLING];
