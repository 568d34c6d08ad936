/** The plugin's module and its hooks: loading it, and running one handler for one event. */
import { HOOK_NAMES } from "../../../../sdk/hooks.ts";
import { askText } from "./bridge.ts";
import { describeText } from "./describe.ts";
import { apply, makePromise, parse, stringify, promiseThen } from "./primordials.ts";

/** Takes the evaluated module, or the promise of it, and tells the host whether there is a plugin. */
export function takePlugin(loaded: unknown): void {
  const use = (namespace: unknown) => {
    try {
      const found = (namespace as { default?: unknown }).default;
      if ((typeof found !== "object" && typeof found !== "function") || found === null) {
        askText("loaded", failure("no_default", undefined));
        return;
      }
      plugin = found as Record<string, unknown>;
      askText("loaded", `"result":[${handlerNames(plugin)}]`);
    } catch (error) {
      refusePlugin(error);
    }
  };
  try {
    apply(promiseThen, loaded, [use, refusePlugin]);
  } catch {
    use(loaded); // not a promise: the module had no top-level await
  }
}

/** The module's code threw. */
export function refusePlugin(error: unknown): void {
  askText("loaded", failure("threw", error));
}

/** Runs one hook; the answer goes to the host whenever it is there. */
export function runHook(text: string, context: object): void {
  const { id, params } = parse(text) as { id: number; params: { name: string; event: unknown } };
  const answer = (body: string) => askText("answer", body, `${id}`);
  const succeed = (value: unknown) => {
    try {
      answer(`"result":${stringify(value) ?? "null"}`);
    } catch (error) {
      answer(failure("threw", error));
    }
  };
  const refuse = (error: unknown) => answer(failure("threw", error));
  try {
    const handler = plugin[params.name];
    if (typeof handler !== "function") {
      answer(failure("no_hook", undefined));
      return;
    }
    const result: unknown = apply(handler, plugin, [params.event, context]);
    apply(
      promiseThen,
      makePromise((resolve) => resolve(result)),
      [succeed, refuse],
    );
  } catch (error) {
    refuse(error);
  }
}

// --- internal ---

let plugin: Record<string, unknown> = {};

/** The hooks for which there is a function, as the inside of a JSON list. */
function handlerNames(found: Record<string, unknown>): string {
  let names = "";
  for (let i = 0; i < HOOK_NAMES.length; i++) {
    const name = HOOK_NAMES[i]!;
    if (typeof found[name] === "function") names += `${names === "" ? "" : ","}"${name}"`;
  }
  return names;
}

function failure(kind: string, thrown: unknown): string {
  return `"error":{"code":-32000,"message":"","data":{"kind":"${kind}","thrown":${describeText(thrown)}}}`;
}
