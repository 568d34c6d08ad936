/**
 * One plugin's QuickJS guest: the engine, the prelude in it, and the entries. Each entry has a deadline; when the guest had to be
 * stopped, `onStopped` is told and nothing enters it again. Knows nothing of messages. Runs in the Worker; called by worker.ts.
 */
import type { QuickJSContext, QuickJSHandle } from "quickjs-emscripten-core";
import { readPrelude } from "./prelude-section.ts";
import type { JsGuest, JsGuestOptions } from "../js/js-guest.ts";
import { PLUGIN_FILE } from "../js/stack-map.ts";
import type { StopReason } from "../wire/messages.ts";
import { CONTROL, type WorkerStart } from "./worker-messages.ts";
import { startQuickJS, type Engine } from "./quickjs.ts";

export interface GuestOptions extends JsGuestOptions, WorkerStart {}

export async function makeGuest(options: GuestOptions): Promise<JsGuest> {
  const { control } = options;
  let deadline = Number.POSITIVE_INFINITY; // the prelude is ours
  let over = false;
  const engine = await startQuickJS(options.module, {
    check() {
      if (Atomics.load(control, CONTROL.stop) !== 0) return "told";
      return performance.now() > deadline ? "deadline" : undefined;
    },
  });
  const { context } = engine;

  /** The only way into the guest. Whatever throws out of it has ended it. */
  function enter(run: () => void): void {
    if (over) return;
    const started = performance.now();
    deadline = started + options.budget();
    Atomics.add(control, CONTROL.entries, 1);
    try {
      run();
      runJobs(engine);
    } catch (error) {
      over = true;
      const stopped = engine.stopped();
      const detail = stopped === undefined && error instanceof Error ? error.message : "";
      options.onStopped(stopped ?? reasonOf(error), detail);
    } finally {
      Atomics.add(control, CONTROL.entries, 1);
      options.spent(performance.now() - started);
    }
  }

  const kernel = bootPrelude(engine, options);
  const tell = (name: keyof typeof kernel, ...texts: readonly string[]) =>
    enter(() => call(context, kernel[name], texts));
  return {
    load: (code) =>
      enter(() => {
        const loaded = context.evalCode(code, PLUGIN_FILE, { type: "module" });
        const [next, handle] = loaded.error
          ? (["refuse", loaded.error] as const)
          : (["take", loaded.value] as const);
        disposeOf(context.callFunction(kernel[next], context.undefined, handle));
        handle.dispose();
      }),
    hook: (text) => tell("hook", text),
    answer: (text, bytes) => tell("answer", text, bytes),
    timer: (id) => tell("timer", String(id)),
  };
}

// --- internal ---

const KERNEL = ["hook", "answer", "timer", "take", "refuse"] as const;

type Kernel = Readonly<Record<(typeof KERNEL)[number], QuickJSHandle>>;

/** Evaluates the prelude and takes its functions; the bridge goes in as an argument and is nowhere else. */
function bootPrelude({ context }: Engine, { module, setup, operations }: GuestOptions): Kernel {
  const prelude = context.unwrapResult(
    context.evalCode(readPrelude(module), "prelude.js", { type: "global" }),
  );
  const boot = context.getProp(prelude, "boot");
  const bridge = context.newFunction("host", (...args) => answerGuest(context, operations, args));
  const setupText = context.newString(setup);
  const kernel = context.unwrapResult(context.callFunction(boot, context.undefined, bridge, setupText));
  const functions = Object.fromEntries(KERNEL.map((name) => [name, context.getProp(kernel, name)])) as Kernel;
  for (const handle of [prelude, boot, bridge, setupText, kernel]) handle.dispose();
  return functions;
}

/** The bridge. Its arguments are whatever the guest gives; an operation that fails is answered with undefined. */
function answerGuest(
  context: QuickJSContext,
  operations: GuestOptions["operations"],
  args: readonly QuickJSHandle[],
): QuickJSHandle {
  const text = (handle: QuickJSHandle | undefined) =>
    handle !== undefined && context.typeof(handle) === "string" ? context.getString(handle) : "";
  const [name, first, second] = args;
  const wanted = text(name);
  const operation = Object.hasOwn(operations, wanted) ? operations[wanted] : undefined;
  try {
    const answer = operation?.(text(first), bytesOf(context, first), text(second));
    if (typeof answer === "string") return context.newString(answer);
    return answer === undefined ? context.undefined : context.newArrayBuffer(answer);
  } catch {
    return context.undefined;
  }
}

function bytesOf(context: QuickJSContext, handle: QuickJSHandle | undefined): Uint8Array<ArrayBuffer> {
  if (handle === undefined || context.typeof(handle) !== "object") return new Uint8Array(0);
  const lifetime = context.getArrayBuffer(handle);
  const copy = new Uint8Array(lifetime.value);
  lifetime.dispose();
  return copy;
}

function call(context: QuickJSContext, kernel: QuickJSHandle, texts: readonly string[]): void {
  const handles = texts.map((text) => context.newString(text));
  disposeOf(context.callFunction(kernel, context.undefined, ...handles));
  for (const handle of handles) handle.dispose();
}

/** The prelude catches what a plugin throws; what gets through is the engine's own, such as a full stack. */
function disposeOf(result: ReturnType<QuickJSContext["callFunction"]>): void {
  if (result.error) result.error.dispose();
  else result.value.dispose();
}

function runJobs({ context }: Engine): void {
  while (context.runtime.hasPendingJob()) {
    const done = context.runtime.executePendingJobs();
    if (done.error) done.error.dispose();
  }
}

/** The engine's own stack is full where a guest's depth was more than its own limit saw. */
function reasonOf(error: unknown): StopReason {
  return error instanceof RangeError ? "stack" : "crash";
}
