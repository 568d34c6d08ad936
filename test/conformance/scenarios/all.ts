/** All scenarios, in the order in which they are run. */
import type { Scenario } from "../scenario.ts";
import { answers } from "./answers.ts";
import { context } from "./context.ts";
import { denials } from "./denials.ts";
import { failures } from "./failures.ts";
import { limits } from "./limits.ts";
import { order } from "./order.ts";
import { stops } from "./stops.ts";
import { texts } from "./texts.ts";

export const SCENARIOS: readonly Scenario[] = [
  ...answers,
  ...texts,
  ...context,
  ...denials,
  ...failures,
  ...limits,
  ...stops,
  ...order,
];
