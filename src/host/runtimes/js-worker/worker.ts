/**
 * Entry of a Worker that holds one plugin: messages from the daemon go into the guest, what the guest asks for goes out through the
 * outbox. Holds no authority of its own. Started by src/workers.ts; the other end is room.ts.
 */
import { systemClock } from "../../../base/clock.ts";
import { LIMITS } from "../../../base/limits.ts";
import { makeByteDesk } from "./byte-desk.ts";
import { makeGuest, type JsGuest } from "./guest.ts";
import { makeHostOperations, type Operation } from "./host-operations.ts";
import { notice, type HookParams, type LoadParams } from "../wire/messages.ts";
import { makeOutbox } from "./outbox.ts";
import { parseStackMap, type StackMap } from "./stack-map.ts";
import { CONTROL, LEFT, STOP, type WorkerStart } from "./worker-messages.ts";
import { makeWorkerTimers } from "./worker-timers.ts";

declare const self: Worker;

self.addEventListener("message", begin, { once: true });

// The engine's glue tells every stop to the console, which is the daemon's: a plugin must not be able to fill its log.
console.error = () => {};

// --- internal ---

function begin(event: MessageEvent<WorkerStart>): void {
  const listen = (message: MessageEvent<string>): void => {
    if (message.data === STOP) leave();
    else void receive(event.data, message.data);
  };
  /** Nothing of the guest runs from here on; when the linger is over, the thread has nothing to wait for and ends by itself. */
  function leave(): void {
    self.removeEventListener("message", listen);
    timers.clear();
    clearTimeout(loadTimer);
    setTimeout(() => {}, LIMITS.workerLingerMs);
    post(LEFT);
  }
  self.addEventListener("message", listen);
  post(notice("ready", {}));
}

const post = self.postMessage.bind(self) as (text: string) => void;
const bytes = makeByteDesk();
const outbox = makeOutbox(post, bytes.embed, systemClock);
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

const timers = makeWorkerTimers((id) => guest?.timer(id));

type Incoming =
  | { readonly id: number; readonly method: "load"; readonly params: LoadParams }
  | { readonly id: number; readonly method: "hook"; readonly params: HookParams }
  | { readonly id: number; readonly method?: undefined };

async function receive(start: WorkerStart, text: string): Promise<void> {
  Atomics.add(start.control, CONTROL.read, text.length);
  const message = JSON.parse(text) as Incoming;
  if (message.method === "load") await load(start, message.id, message.params);
  else if (message.method === "hook") {
    freeMs = entryMs;
    hooks.set(message.id, performance.now() + message.params.deadlineMs);
    guest?.hook(text);
  } else {
    outbox.hostAnswered(message.id);
    if (text.includes('"$b64"')) guest?.answer(JSON.stringify(bytes.extract(message)), "with bytes");
    else guest?.answer(text, "");
  }
}

async function load(start: WorkerStart, id: number, params: LoadParams): Promise<void> {
  entryMs = params.entryMs;
  freeMs = params.entryMs;
  let map: StackMap | undefined | null = null;
  const stackMap = () => (map === null ? (map = parseStackMap(params.sourceMap ?? "")) : map);
  guest = await makeGuest({
    ...start,
    setup: JSON.stringify({ plugin: params.plugin, config: params.config, methods: params.methods }),
    operations: { ...makeHostOperations(stackMap), ...messageOperations(id) },
    budget,
    spent: (ms) => {
      if (isFree) freeMs -= ms;
    },
    onStopped: (reason, detail) => post(notice("stopped", { reason, detail })),
  });
  guest.load(params.code ?? "");
  // A top-level await may never end, and that is no entry.
  loadTimer = setTimeout(() => {
    if (!loaded) post(notice("stopped", { reason: "deadline", detail: "" }));
  }, entryMs);
}

function budget(): number {
  isFree = hooks.size === 0;
  if (isFree) return freeMs;
  return Math.max(...hooks.values()) - performance.now();
}

/** The operations with which the prelude speaks to the daemon. */
function messageOperations(loadId: number): Record<string, Operation> {
  const quietly = (run: () => void) => {
    run();
    return "";
  };
  return {
    host: (body, _, id) => outbox.host(Number(id), body),
    "bytes.put": (_, data) => bytes.put(data),
    "bytes.take": (ticket) => bytes.take(ticket),
    cancel: (id) => quietly(() => outbox.cancel(Number(id))),
    log: (body) => quietly(() => outbox.log(body)),
    loaded: (body) =>
      quietly(() => {
        loaded = true;
        clearTimeout(loadTimer);
        outbox.answer(loadId, body);
        // What loading left over is a sixth of an idle room's memory, and nothing else would collect it for long.
        setTimeout(() => Bun.gc(true));
      }),
    answer: (body, _, id) =>
      quietly(() => {
        if (hooks.delete(Number(id))) outbox.answer(Number(id), body);
      }),
    "timer.start": (text) => quietly(() => timers.start(text)),
    "timer.stop": (text) => quietly(() => timers.stop(text)),
  };
}
