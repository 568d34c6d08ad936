/** A hook's name as it is typed after `plugin call` and `events --hook`. */
import { fail } from "../base/errors.ts";
import { nameAdvice, quote } from "../base/text.ts";
import { HOOK_NAMES, isHookName, type HookName } from "../sdk/index.ts";

/** Throws `usage.invalid` with the hook that was probably meant. */
export function parseHook(text: string): HookName {
  if (isHookName(text)) return text;
  throw fail("usage.invalid", `there is no hook ${quote(text)}`, {
    hint: nameAdvice(text, HOOK_NAMES),
  });
}
