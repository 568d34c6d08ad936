/**
 * What the broker refused to a guest, with the advice that came with it. Where a hook then fails in those words, the operator is told the
 * advice too. A guest has no part in it: the words are looked for in what it threw, and the advice is the broker's own. Called by room.ts.
 */
import { isVoxError } from "../../../base/errors.ts";
import { LIMITS } from "../../../base/limits.ts";
import type { PluginDoor } from "../runtime.ts";

export function rememberRefusals(door: PluginDoor): Refusals {
  const advice = new Map<string, string>();
  return {
    door: {
      get methods() {
        return door.methods;
      },
      async invoke(...call) {
        try {
          return await door.invoke(...call);
        } catch (error) {
          if (isVoxError(error) && error.hint !== undefined) keep(advice, error.message, error.hint);
          throw error;
        }
      },
      log: (level, text, fields) => door.log(level, text, fields),
    },
    adviceFor: (words) => [...advice].findLast(([message]) => words.includes(message))?.[1],
  };
}

export interface Refusals {
  /** Takes the place of the door that it was made of. */
  readonly door: PluginDoor;
  /** What was advised with the last refusal whose message is part of `words`. */
  readonly adviceFor: (words: string) => string | undefined;
}

// --- internal ---

/** The newest stand last. */
function keep(advice: Map<string, string>, message: string, hint: string): void {
  advice.delete(message);
  advice.set(message, hint);
  const [oldest] = advice.keys();
  if (advice.size > LIMITS.refusalsRemembered && oldest !== undefined) advice.delete(oldest);
}
