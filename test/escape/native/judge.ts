/** Whether an attack worked, by what it says it got and by what changed. */
import type { NativeAttack } from "./attack.ts";
import type { Report } from "./stand-in.ts";

export function worked({ proof }: NativeAttack, { ending, changes }: Report, secret: string): boolean {
  if (proof.by === "trace") return changes.some((change) => proof.of.test(change));
  if (ending.kind !== "got" || ending.got === null) return false;
  return proof.by === "answer" || JSON.stringify(ending.got).includes(secret);
}

/** How it ended, in one word: `EPERM`, `SIGSYS`, or what it got. */
export function endingOf({ ending }: Report): string {
  switch (ending.kind) {
    case "got":
      return JSON.stringify(ending.got);
    case "refused":
      return ending.code;
    case "ended":
      return ending.how;
    case "hung":
      return "hung";
  }
}

/** All that is known, for who reads a failure. */
export function wordsOf({ ending, changes }: Report): string {
  return JSON.stringify({ ending, changes });
}
