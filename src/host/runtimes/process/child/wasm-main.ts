/**
 * A WebAssembly plugin in its process: one message after the other, and while a module asks the daemon for something nothing else
 * happens, so to the module it is a plain call. Called by plugin-role.ts, after the process is sealed.
 */
import { messageOf } from "../../../../base/errors.ts";
import { LIMITS } from "../../../../base/limits.ts";
import { GuestRefusal, GuestThrown } from "../../wasm/guest-errors.ts";
import { makeWasmGuest, type WasmGuest } from "../../wasm/wasm-guest.ts";
import {
  failureBody,
  notice,
  type GuestFailure,
  type HookParams,
  type LoadParams,
} from "../../wire/messages.ts";
import type { ReceivedCode } from "../code-frames.ts";
import { openDaemonLine } from "./daemon-line.ts";
import { isOutOfMemory, MEMORY_WORDS } from "./out-of-memory.ts";

export async function runWasmPlugin(descriptor: number, { bytes: code }: ReceivedCode): Promise<void> {
  const line = openDaemonLine(descriptor);
  let guest: WasmGuest | undefined;

  async function load(params: LoadParams): Promise<string> {
    guest = await makeWasmGuest({ ...params, code, callHost: line.callHost, log: line.log });
    // What loading left over would lie there for long: nothing else collects it in a process that waits.
    code = new Uint8Array(0);
    Bun.gc(true);
    return resultBody(guest.handlers);
  }

  async function runHook({ name, event }: HookParams): Promise<string> {
    if (guest?.handlers.some((handler) => handler === name) !== true)
      return failureBody({ kind: "no_hook", thrown: NOTHING_THROWN });
    const answer = await guest.call(name, event);
    line.dropRequest();
    return resultBody(answer);
  }

  function failed(error: unknown): string {
    if (isOutOfMemory(error)) line.tell(notice("stopped", { reason: "memory", detail: MEMORY_WORDS }));
    return failureBody({
      kind: error instanceof GuestThrown ? error.kind : "threw",
      thrown: thrownOf(error),
    });
  }

  for (;;) {
    const { id, method, params } = line.next();
    const work = method === "load" ? load(params) : runHook(params);
    line.answer(id, await work.catch(failed));
  }
}

// --- internal ---

type Thrown = GuestFailure["thrown"];

const NOTHING_THROWN: Thrown = { name: "", message: "", stack: "", code: "" };
const STACK_CHARS_MAX = 8 * 1024;

function resultBody(value: unknown): string {
  return `"result":${JSON.stringify(value ?? null)}`;
}

/** What is neither a refusal nor a throw of the module is a fault of ours; it is told all the same, as nobody else would. */
function thrownOf(error: unknown): Thrown {
  const words = messageOf(error).slice(0, 2 * LIMITS.errorTextChars);
  if (error instanceof GuestThrown) {
    const { name, stack, code } = error;
    return { name, message: words, stack: stack.slice(0, STACK_CHARS_MAX), code: code.slice(0, 80) };
  }
  const hint = error instanceof GuestRefusal && error.hint !== undefined ? `; ${error.hint}` : "";
  return { ...NOTHING_THROWN, message: `${words}${hint}` };
}
