/**
 * The inside of a Tier 1 room: takes a module's bytes, puts the caps on, links what was granted and runs its hooks through
 * Extism. It has no authority: whatever the module asks for goes through `callHost`. Called by process/child/wasm-main.ts.
 */
import { messageOf } from "../../../base/errors.ts";
import { LIMITS } from "../../../base/limits.ts";
import { formatBytes } from "../../../base/text.ts";
import { isHookName, type HookName } from "../../../sdk/index.ts";
import { capModule } from "./cap-module.ts";
import { makeExtismMemory } from "./extism-memory.ts";
import { GuestRefusal, GuestThrown } from "./guest-errors.ts";
import { parseGuestJson } from "./guest-json.ts";
import type { CallResult } from "./guest-host.ts";
import type { WasmGuestOptions } from "./guest-options.ts";
import { signatureText, type ModuleShape } from "./module-shape.ts";
import { startInstance, type CompiledModule, type WasmInstance } from "./wasm-instance.ts";

export type { WasmGuestOptions } from "./guest-options.ts";

export interface WasmGuest {
  /** Hooks that the module exports a function for. */
  readonly handlers: readonly HookName[];
  /**
   * Gives the hook's output, null where it has none. Throws a GuestThrown, and nothing else. One call at a time.
   *
   * After a throw from inside the module its memory may be in any state: the next call gets a new instance.
   */
  call(hook: string, event: unknown): Promise<unknown>;
}

/** Throws a GuestRefusal: the module is not taken. */
export async function makeWasmGuest(options: WasmGuestOptions): Promise<WasmGuest> {
  const compiled = await compile(options.code);
  const handlers = handlersOf(compiled.shape);
  const hostOptions = { ...options, memory: makeExtismMemory() };
  let instance: WasmInstance | undefined = await startInstance(compiled, hostOptions);

  async function startAgain(): Promise<WasmInstance> {
    // The old one's memory first: two of them are a large part of what the process may have.
    Bun.gc(true);
    try {
      return await startInstance(compiled, hostOptions);
    } catch (error) {
      throw new GuestThrown(`it could not be started again after its last call failed: ${messageOf(error)}`);
    }
  }

  return {
    handlers,
    async call(hook, event) {
      if (!handlers.some((name) => name === hook))
        throw new GuestThrown(`the module exports no function ${hook}`);
      const used = instance ?? (await startAgain());
      instance = undefined;
      const result = used.run(hook, JSON.stringify(event ?? null));
      instance = used;
      if (result.code !== 0 || result.error !== undefined) throw failed(hook, result);
      return outputOf(result);
    },
  };
}

// --- internal ---

async function compile(code: Uint8Array): Promise<CompiledModule> {
  const { bytes, shape } = capModule(code);
  try {
    return { module: await WebAssembly.compile(bytes), shape };
  } catch (error) {
    const problem = messageOf(error).replace(/^WebAssembly.Module doesn't (parse|validate):? */, "");
    throw new GuestRefusal(`the module is damaged, or uses what this engine does not have: ${problem}`);
  }
}

function handlersOf({ exports }: ModuleShape): readonly HookName[] {
  for (const { name, kind, type } of exports) {
    const { wanted, hint } = SPECIAL.get(name) ?? {
      wanted: isHookName(name) ? HOOK_TYPES : undefined,
      hint: undefined,
    };
    if (wanted === undefined || (kind === "function" && wanted.includes(type ?? ""))) continue;
    const found = kind === "function" ? signatureText(type ?? "") : `a ${kind}`;
    const instead = wanted.length === 0 ? "no such export" : wanted.map(signatureText).join(" or ");
    throw new GuestRefusal(`the module exports ${name} as ${found}, wanted ${instead}`, hint);
  }
  return exports.map(({ name }) => name).filter(isHookName);
}

/** Nothing in; 0 for done and anything else for failed, or nothing. */
const HOOK_TYPES: readonly string[] = [">i", ">"];

interface Special {
  readonly wanted: readonly string[];
  readonly hint?: string;
}

/** Exports that are called, or have a meaning to the SDK: a module names them as it likes, so this is no object. */
const SPECIAL: ReadonlyMap<string, Special> = new Map([
  ["_initialize", { wanted: [">"] }],
  ["__wasm_call_ctors", { wanted: [">"] }],
  ["hs_init", { wanted: [], hint: "modules of GHC (Haskell) are not run" }],
]);

function failed(hook: string, { code, error }: CallResult & { readonly code: number }): GuestThrown {
  const said = error?.trim() ?? "";
  return new GuestThrown(said === "" ? `${hook} returned ${code}, and gave no reason (error_set)` : said);
}

function outputOf({ output, outputBytes }: CallResult): unknown {
  if (outputBytes > LIMITS.messageBytes) {
    const [size, most] = [outputBytes, LIMITS.messageBytes].map(formatBytes);
    throw new GuestThrown(`it has ${size}, at most ${most} are taken`, { kind: "refused" });
  }
  if (output.trim() === "") return null;
  try {
    return parseGuestJson(output);
  } catch (error) {
    throw new GuestThrown(`it is ${messageOf(error)}`, { kind: "refused" });
  }
}
