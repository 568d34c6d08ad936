/**
 * What a plugin finds in its world, and the guest's side of the wire. Bundled to one script at build time and evaluated
 * in QuickJS before anything of the plugin. May use nothing but the language: QuickJS has no web interfaces of its own.
 */
import { AbortController, AbortSignal } from "./abort.ts";
import { atob, btoa } from "./base64.ts";
import { askText, connectBridge, type Bridge } from "./bridge.ts";
import { makeConsole } from "./console.ts";
import { makeContext, type Setup } from "./context.ts";
import { crypto } from "./crypto.ts";
import { DOMException } from "./dom-exception.ts";
import { Event, EventTarget } from "./event-target.ts";
import { fetch } from "./fetch.ts";
import { Headers } from "./headers.ts";
import { settleHostCall } from "./host-calls.ts";
import { refusePlugin, runHook, takePlugin } from "./plugin.ts";
import { numberOf, parse } from "./primordials.ts";
import { Request } from "./request.ts";
import { Response } from "./response.ts";
import { structuredClone } from "./structured-clone.ts";
import { TextDecoder, TextEncoder } from "./text-coding.ts";
import { clearTimeout, fireTimer, queueMicrotask, setInterval, setTimeout } from "./timers.ts";
import { URL } from "./url.ts";
import { URLSearchParams } from "./url-search-params.ts";

/** The functions that the host calls. They are handed over once and reachable from nowhere else. */
export interface Kernel {
  readonly hook: (text: string) => void;
  readonly answer: (text: string, bytes: string) => void;
  readonly timer: (id: string) => void;
  readonly take: (loaded: unknown) => void;
  readonly refuse: (error: unknown) => void;
}

export function boot(bridge: Bridge, setupText: string): Kernel {
  connectBridge(bridge);
  const context = makeContext(parse(setupText) as Setup);
  for (const [name, value] of Object.entries(globals())) {
    Object.defineProperty(globalThis, name, { value, writable: true, configurable: true, enumerable: false });
  }
  return {
    hook: (text) => runHook(text, context),
    answer: (text, bytes) => settleHostCall(text, bytes !== ""),
    timer: (id) => fireTimer(numberOf(id)),
    take: takePlugin,
    refuse: refusePlugin,
  };
}

// --- internal ---

function globals(): Record<string, unknown> {
  const timeOrigin = Date.now();
  const started = Number(askText("now"));
  return {
    AbortController,
    AbortSignal,
    DOMException,
    Event,
    EventTarget,
    Headers,
    Request,
    Response,
    TextDecoder,
    TextEncoder,
    URL,
    URLSearchParams,
    atob,
    btoa,
    clearInterval: clearTimeout,
    clearTimeout,
    console: makeConsole(),
    crypto,
    fetch,
    performance: { timeOrigin, now: () => Number(askText("now")) - started },
    queueMicrotask,
    setInterval,
    setTimeout,
    structuredClone,
  };
}
