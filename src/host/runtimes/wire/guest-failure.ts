/**
 * Turns what a guest says of a failure into an error of ours. A guest chooses the words, never the code: whatever it threw is
 * `plugin.failed`, and its own `code` is only a detail. Called by room.ts.
 */
import * as v from "valibot";
import { fail, type VoxError } from "../../../base/errors.ts";
import { LIMITS } from "../../../base/limits.ts";
import { formatBytes, printable } from "../../../base/text.ts";
import type { Guest } from "../runtime.ts";
import type { GuestFailure, StopReason } from "./messages.ts";
import type { Refusals } from "./refusals.ts";

/** For a hook that failed. Its hint is the broker's, where the hook failed of what the broker refused. */
export function hookFailure(
  data: unknown,
  guest: Pick<Guest, "name" | "code">,
  hook: string,
  refusals: Pick<Refusals, "adviceFor">,
): VoxError {
  const plugin = guest.name;
  const failure = parseFailure(data);
  if (failure === undefined)
    return fail("plugin.protocol", `${plugin} answered ${hook} with something that is no answer`);
  if (failure.kind === "no_hook") return noHook(guest, hook);
  if (failure.kind === "refused") {
    return fail("plugin.protocol", `the answer of ${plugin} to ${hook} can't be taken: ${words(failure)}`);
  }
  const said = words(failure);
  return fail("plugin.failed", said || `${plugin} threw in ${hook}, and said nothing`, {
    hint: refusals.adviceFor(said),
    details: { plugin, hook, ...thrownDetails(failure) },
  });
}

/** For code that did not load. */
export function loadFailure(data: unknown, plugin: string): VoxError {
  const failure = parseFailure(data);
  if (failure?.kind === "no_default") {
    return fail("plugin.load_failed", `${plugin} has no default export that is an object of hooks`, {
      hint: "end the main file with `export default { async on_deploy_success(event, ctx) { … } };`",
    });
  }
  const reason = failure === undefined ? "it answered with something that is no answer" : words(failure);
  return fail(
    "plugin.load_failed",
    `${plugin} could not be loaded: ${reason || "it threw, and said nothing"}`,
    {
      details: { plugin, ...(failure === undefined ? {} : thrownDetails(failure)) },
    },
  );
}

/** For a guest that had to be stopped. `task` is what it was doing; `detail` of "memory" and "threads" is how much it may have, if not the usual. */
export function stopFailure(reason: StopReason, detail: string, plugin: string, task: string): VoxError {
  const details = { plugin };
  if (reason === "deadline" || reason === "told") {
    return fail("plugin.timeout", `${plugin} was stopped: ${task} ran longer than it may`, { details });
  }
  if (reason === "memory") {
    const cap = detail === "" ? GUEST_MEMORY : printable(detail, 40);
    return fail("plugin.out_of_memory", `${plugin} was stopped: ${task} needed more than ${cap} of memory`, {
      details,
    });
  }
  if (reason === "threads") {
    return fail(
      "plugin.out_of_memory",
      `${plugin} was stopped: ${task} started more than ${detail} threads`,
      {
        details: { ...details, threads: Number(detail) },
      },
    );
  }
  if (reason === "stack") {
    return fail("plugin.failed", `RangeError: ${task} of ${plugin} called itself too deeply`, { details });
  }
  return fail("plugin.crashed", `${plugin} crashed in ${task}: ${printable(detail)}`, { details });
}

// --- internal ---

function noHook({ name, code }: Pick<Guest, "name" | "code">, hook: string): VoxError {
  const [what, how] =
    code.kind === "js"
      ? [`the default export of ${name} has`, `write \`async ${hook}(event, ctx) { … }\` in it`]
      : [`the module of ${name} exports`, "export it"];
  return fail("plugin.no_hook", `${what} no function ${hook}`, {
    hint: `${how}, or take ${hook} out of the manifest's [hooks]`,
  });
}

const failureSchema = v.object({
  kind: v.picklist(["threw", "no_hook", "no_default", "refused"]),
  thrown: v.object({ name: v.string(), message: v.string(), stack: v.string(), code: v.string() }),
});

function parseFailure(data: unknown): GuestFailure | undefined {
  const parsed = v.safeParse(failureSchema, data);
  return parsed.success ? parsed.output : undefined;
}

/** The message as its author wrote it; the class before it where it says more than "Error". */
function words({ thrown }: GuestFailure): string {
  const name = thrown.name === "Error" || thrown.name === "PluginError" ? "" : thrown.name;
  const text = name === "" ? thrown.message : `${name}: ${thrown.message}`;
  return printable(text.slice(0, 2 * LIMITS.errorTextChars), LIMITS.errorTextChars);
}

function thrownDetails({ thrown }: GuestFailure): Record<string, unknown> {
  // Not all of it: millions of line ends would become as many texts.
  const stack = thrown.stack
    .slice(0, FRAMES_MAX * 4 * LIMITS.terminalTextChars)
    .split("\n")
    .filter(Boolean)
    .slice(0, FRAMES_MAX)
    .map((frame) => printable(frame));
  return {
    ...(thrown.code === "" ? {} : { pluginCode: printable(thrown.code, 80) }),
    ...(stack.length === 0 ? {} : { stack }),
  };
}

const FRAMES_MAX = 10;
const GUEST_MEMORY = formatBytes(LIMITS.guestMemoryPages * 64 * 1024);
