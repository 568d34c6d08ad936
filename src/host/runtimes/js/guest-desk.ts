/**
 * The guest's end of the wire, for JavaScript wherever it runs: messages from the daemon become entries into the guest, what the
 * guest asks for goes out through the outbox. Holds no authority. Made by js-worker/worker.ts and process/child/js-main.ts.
 */
import { notice, type HookParams, type LoadParams } from "../wire/messages.ts";
import { makeOutbox } from "../wire/outbox.ts";
import { makeByteDesk } from "./byte-desk.ts";
import { makeGuestTimers } from "./guest-timers.ts";
import { makeHostOperations, type Operation } from "./host-operations.ts";
import type { JsGuest, JsGuestOptions } from "./js-guest.ts";
import {
  collectGarbage,
  monotonicNow,
  nativeClearTimeout,
  nativeClock,
  nativeSetTimeout,
  parseJson,
  stringifyJson,
} from "./natives.ts";
import { parseStackMap, type StackMap } from "./stack-map.ts";

export interface GuestDesk {
  /** A message of the daemon. */
  receive(text: string): Promise<void>;
  /** No timer enters the guest any more. */
  close(): void;
}

export interface GuestDeskOptions {
  readonly post: (text: string) => void;
  readonly codeOf: (params: LoadParams) => PluginText;
  readonly start: (options: JsGuestOptions) => JsGuest | Promise<JsGuest>;
}

export interface PluginText {
  readonly text: string;
  readonly sourceMap: string | undefined;
}

export function makeGuestDesk({ post, codeOf, start }: GuestDeskOptions): GuestDesk {
  const bytes = makeByteDesk();
  const outbox = makeOutbox(post, bytes.embed, nativeClock);
  /** Deadlines of the hooks that run, by id. */
  const hooks = new Map<number, number>();
  let guest: JsGuest | undefined;
  /** What is left for entries that belong to no hook; full again at each hook. */
  let freeMs = 0;
  /** Whether the entry that runs, or ran last, belongs to no hook. */
  let isFree = true;
  let entryMs = 0;
  let loaded = false;
  let loadTimer: Timer | undefined;
  const timers = makeGuestTimers((id) => guest?.timer(id));

  async function load(id: number, params: LoadParams): Promise<void> {
    const { text, sourceMap = "" } = codeOf(params);
    entryMs = params.entryMs;
    freeMs = params.entryMs;
    let map: StackMap | undefined | null = null;
    const stackMap = () => (map === null ? (map = parseStackMap(sourceMap)) : map);
    const stopped: JsGuestOptions["onStopped"] = (reason, detail) =>
      post(notice("stopped", { reason, detail }));
    guest = await start({
      setup: stringifyJson({ plugin: params.plugin, config: params.config, methods: params.methods }),
      operations: { ...makeHostOperations(stackMap), ...messageOperations(id) },
      budget,
      spent: (ms) => {
        if (isFree) freeMs -= ms;
      },
      onStopped: stopped,
    });
    guest.load(text);
    // A top-level await may never end, and that is no entry.
    loadTimer = nativeSetTimeout(() => {
      if (!loaded) stopped("deadline", "");
    }, entryMs);
  }

  function budget(): number {
    isFree = hooks.size === 0;
    if (isFree) return freeMs;
    return Math.max(...hooks.values()) - monotonicNow();
  }

  /** The operations with which the prelude speaks to the daemon. */
  function messageOperations(loadId: number): Record<string, Operation> {
    return {
      host(body, _, id) {
        const refusal = outbox.host(Number(id), body);
        if (refusal !== "") bytes.drop();
        return refusal;
      },
      "bytes.put": (_, data) => bytes.put(data),
      "bytes.drop": () => quietly(() => bytes.drop()),
      "bytes.take": (ticket) => bytes.take(ticket),
      cancel: (id) => quietly(() => outbox.cancel(Number(id))),
      log: (body) => quietly(() => outbox.log(body)),
      loaded: (body) =>
        quietly(() => {
          loaded = true;
          nativeClearTimeout(loadTimer);
          outbox.answer(loadId, body);
          // What loading left over is a sixth of an idle room's memory, and nothing else would collect it for long.
          nativeSetTimeout(() => collectGarbage(true), 0);
        }),
      answer: (body, _, id) =>
        quietly(() => {
          if (hooks.delete(Number(id))) outbox.answer(Number(id), body);
        }),
      "timer.start": (text) => quietly(() => timers.start(text)),
      "timer.stop": (text) => quietly(() => timers.stop(text)),
    };
  }

  return {
    async receive(text) {
      const message = parseJson(text) as Incoming;
      if (message.method === "load") await load(message.id, message.params);
      else if (message.method === "hook") {
        freeMs = entryMs;
        hooks.set(message.id, monotonicNow() + message.params.deadlineMs);
        guest?.hook(text);
      } else {
        outbox.hostAnswered(message.id);
        if (text.includes('"$b64"')) guest?.answer(stringifyJson(bytes.extract(message)), "with bytes");
        else guest?.answer(text, "");
      }
    },
    close() {
      timers.clear();
      nativeClearTimeout(loadTimer);
    },
  };
}

// --- internal ---

type Incoming =
  | { readonly id: number; readonly method: "load"; readonly params: LoadParams }
  | { readonly id: number; readonly method: "hook"; readonly params: HookParams }
  | { readonly id: number; readonly method?: undefined };

function quietly(run: () => void): string {
  run();
  return "";
}
