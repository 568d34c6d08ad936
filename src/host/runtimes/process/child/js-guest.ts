/**
 * One plugin's JavaScript guest in the engine of its own process: the same prelude as in the Worker, the plugin's module beside it.
 * No wall is here; that is the process. The deadlines are the daemon's. Called by js-main.ts.
 */
import type { Operation } from "../../js/host-operations.ts";
import type { JsGuest, JsGuestOptions } from "../../js/js-guest.ts";
import { NativeBlob, NativeURL } from "../../js/natives.ts";
import { boot } from "../../js/prelude/main.ts";
import type { Bridge } from "../../js/prelude/bridge.ts";
import { PLUGIN_FILE } from "../../js/stack-map.ts";
import { loadBuiltins } from "./load-builtins.ts";
import { takeCodeFromText } from "./code-from-text.ts";
import { narrowGlobals } from "./narrow-globals.ts";
import { isOutOfMemory, MEMORY_WORDS, saysOutOfMemory } from "./out-of-memory.ts";

/** `usesBuiltins`: the code imports modules of the engine's own. */
export async function makeProcessGuest(
  { setup, operations, onStopped }: JsGuestOptions,
  usesBuiltins: boolean,
): Promise<JsGuest> {
  const output = usesBuiltins ? await loadBuiltins() : undefined;
  let codeUrl = "blob:";
  const mapped: JsGuestOptions["operations"] = {
    ...operations,
    // The engine names the module by where it was loaded from, and says where an async function goes on.
    stack: (text, bytes, second) =>
      operations["stack"]?.(
        text.replaceAll(codeUrl, PLUGIN_FILE).replaceAll("at async ", "at "),
        bytes,
        second,
      ),
    answer: unlessOutOfMemory("answer"),
    loaded: unlessOutOfMemory("loaded"),
  };

  /** The engine throws where it gets no more memory; a plugin that let that through is at the end of what it may have. */
  function unlessOutOfMemory(name: string): Operation {
    return (body, bytes, second) => {
      if (!saysOutOfMemory(body)) return operations[name]?.(body, bytes, second);
      outOfMemory();
      return "";
    };
  }

  function outOfMemory(): void {
    onStopped("memory", MEMORY_WORDS);
  }

  const kernel = boot(makeBridge(mapped, outOfMemory), setup);
  const hidden = `\nvar ${narrowGlobals(output).join(", ")};`;
  takeCodeFromText();

  async function importText(...parts: readonly string[]): Promise<unknown> {
    codeUrl = NativeURL.createObjectURL(new NativeBlob([...parts], { type: "text/javascript" }));
    try {
      return (await import(codeUrl)) as unknown;
    } finally {
      NativeURL.revokeObjectURL(codeUrl);
    }
  }

  async function evaluate(code: string): Promise<unknown> {
    try {
      return await importText(code, hidden);
    } catch (error) {
      if (loaderWords(error) === undefined) throw error;
    }
    // It may have such a name of its own. Nothing of it ran so far.
    try {
      return await importText(code);
    } catch (error) {
      const words = loaderWords(error);
      throw words === undefined ? error : new SyntaxError(words);
    }
  }

  return {
    load: (code) => kernel.take(evaluate(code)),
    hook: kernel.hook,
    answer: kernel.answer,
    timer: (id) => kernel.timer(String(id)),
  };
}

// --- internal ---

/** As the Worker's guest has it: an operation that fails is answered with undefined, and a full memory is the end. */
function makeBridge(operations: Readonly<Record<string, Operation>>, outOfMemory: () => void): Bridge {
  const none = new Uint8Array(0);
  return (name, first, second) => {
    const text = typeof first === "string" ? first : "";
    const bytes = typeof first === "object" ? new Uint8Array(first) : none;
    try {
      return operations[name]?.(text, bytes, second ?? "");
    } catch (error) {
      if (isOutOfMemory(error)) outOfMemory();
      return undefined;
    }
  };
}

/** What the engine's loader says of code that it can't read or link; undefined for an error that is not the loader's. */
function loaderWords(error: unknown): string | undefined {
  const { name, message, errors } = (error ?? {}) as Readonly<Record<string, unknown>>;
  if (name === "AggregateError" && Array.isArray(errors)) return loaderWords(errors[0]);
  return name === "BuildMessage" || name === "ResolveMessage" ? String(message) : undefined;
}
