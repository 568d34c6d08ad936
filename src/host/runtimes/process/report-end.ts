/** What the end of a plugin's process means for its room. Called by process-link.ts. */
import { fail } from "../../../base/errors.ts";
import { LIMITS } from "../../../base/limits.ts";
import { formatBytes } from "../../../base/text.ts";
import type { LinkEvents } from "../wire/guest-link.ts";
import type { SeenEnd } from "./watch-end.ts";

export function reportEnd(end: SeenEnd, plugin: string, on: Pick<LinkEvents, "gone" | "failed">): void {
  if (end.kind === "unconfined") {
    on.failed(
      fail(
        "confinement.unavailable",
        `${plugin} was not started: its process could not be confined (${end.step}: ${end.reason})`,
        {
          details: { plugin, step: end.step, reason: end.reason },
          hint: "voxeltron doctor shows what this machine can do to confine a process, and what is missing",
        },
      ),
    );
  } else if (end.kind === "memory") on.gone("memory", formatBytes(LIMITS.processMemoryBytes));
  else if (end.kind === "threads") on.gone("threads", `${end.most}`);
  else on.gone("crash", wordsOf(end));
}

// --- internal ---

type Crash = Exclude<SeenEnd, { readonly kind: "unconfined" | "memory" | "threads" }>;

function wordsOf(end: Crash): string {
  if (end.kind === "closed") return "its process closed its connection";
  if (end.kind === "status") return `its process ended with exit status ${end.status}`;
  const meaning = MEANINGS[end.signal];
  return `its process was ended by ${end.signal}${meaning === undefined ? "" : ` (${meaning})`}`;
}

const MEANINGS: Readonly<Record<string, string>> = {
  SIGABRT: "it gave up, as an engine does that gets no more memory",
  SIGBUS: "a memory access that failed",
  SIGILL: "an instruction that does not exist",
  SIGKILL: "from outside",
  SIGSEGV: "a memory access that is not allowed",
  SIGSYS: "a system call that is not allowed",
  SIGTRAP: "it gave up, as an engine does that gets no more memory",
  SIGXCPU: "it used all of its processor time",
};
