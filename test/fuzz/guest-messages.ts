/**
 * What a hostile guest may send, made by mutation: each text goes to a real room over a link that is this program's own. The room
 * takes it or ends with a named error; nothing is thrown, what reaches the door is a call of a text's method, and no prototype changes.
 */
import { isVoxError } from "../../src/base/errors.ts";
import type { Guest, PluginDoor } from "../../src/host/runtimes/runtime.ts";
import type { LinkEvents, LinkKind } from "../../src/host/runtimes/wire/guest-link.ts";
import { openRoom } from "../../src/host/runtimes/wire/room.ts";
import { fakeClock } from "../harness.ts";
import { seededRandom } from "../random.ts";

export interface MessageFuzz {
  readonly taken: number;
  /** Rooms that a message ended, by the code of their end. */
  readonly ended: Readonly<Record<string, number>>;
}

/** Throws with the seed and the message at the first breach. */
export async function fuzzGuestMessages(seed: number, count: number): Promise<MessageFuzz> {
  const random = seededRandom(seed);
  const ended: Record<string, number> = {};
  let taken = 0;
  let room = await openTestRoom();
  for (let i = 0; i < count; i++) {
    const message = mutated(SAMPLES[Math.floor(random() * SAMPLES.length)] ?? "", random);
    try {
      const end = await room.send(message);
      taken++;
      if (end === undefined) continue;
      ended[end] = (ended[end] ?? 0) + 1;
      room = await openTestRoom();
    } catch (error) {
      throw new Error(`seed ${seed}, message ${i}: ${JSON.stringify(message.slice(0, 500))}`, {
        cause: error,
      });
    }
  }
  return { taken, ended };
}

// --- internal ---

const SAMPLES: readonly string[] = [
  '{"jsonrpc":"2.0","method":"ready","params":{}}',
  '{"jsonrpc":"2.0","id":7,"method":"host","params":{"method":"kv.get","params":{"key":"a"}}}',
  '{"jsonrpc":"2.0","id":8,"method":"host","params":{"method":"kv.set","params":{"key":"a","value":{"$b64":"AAAA"}}}}',
  '{"jsonrpc":"2.0","method":"cancel","params":{"id":7}}',
  '{"jsonrpc":"2.0","method":"log","params":{"level":"info","text":"hello","fields":{"a":[1,2,{"b":null}]}}}',
  '{"jsonrpc":"2.0","method":"stopped","params":{"reason":"deadline","detail":""}}',
  '{"jsonrpc":"2.0","id":2,"result":{"a":"b"}}',
  '{"jsonrpc":"2.0","id":2,"error":{"code":-32000,"message":"","data":{"kind":"threw","thrown":{"name":"Error","message":"no","stack":"","code":""}}}}',
];

/** Pieces that parsers and their users trip over. */
const PIECES: readonly string[] = [
  '"__proto__":{"polluted":true},',
  '"constructor":{"prototype":{"polluted":true}},',
  '"toString":1,',
  "1e999",
  "-0",
  "9007199254740993",
  "-1",
  "null",
  "[]",
  "{}",
  '""',
  "\\u0000",
  "\\ud800",
  "\u{1f600}",
  "\0",
  "[".repeat(300),
  `"${"x".repeat(5000)}"`,
  "true",
  ",",
  "}",
  '"id":2,',
  '"method":"host",',
  '"result":1,',
];

type Random = () => number;

function mutated(sample: string, random: Random): string {
  let text = sample;
  for (let rounds = Math.floor(random() * 5); rounds > 0; rounds--) {
    const change = MUTATIONS[Math.floor(random() * MUTATIONS.length)];
    if (change !== undefined) text = change(text, Math.floor(random() * (text.length + 1)), random);
  }
  return text;
}

const pick = (random: Random): string => PIECES[Math.floor(random() * PIECES.length)] ?? "";

const MUTATIONS: readonly ((text: string, at: number, random: Random) => string)[] = [
  (text, at) => text.slice(0, at),
  (text, at, random) => text.slice(0, at) + pick(random) + text.slice(at),
  (text, at, random) => text.slice(0, at) + text.slice(at + Math.ceil(random() * 10)),
  (text, at, random) =>
    text.slice(0, at) + String.fromCharCode(Math.floor(random() * 256)) + text.slice(at + 1),
  (text, at, random) => text.replace(/"[a-z]+"(?!:)|\d+/, () => pick(random)) + text.slice(at, at),
  (text, at) => text.slice(0, at) + text + text.slice(at),
  (text, at, random) => text.replace("{", `{${PIECES[Math.floor(random() * 3)] ?? ""}`) + text.slice(at, at),
];

const GUEST: Guest = {
  name: "fuzzed",
  version: "1.0.0",
  code: { kind: "js", text: "", sourceMap: undefined },
  config: {},
  entryMs: 1000,
};

/** A room whose guest is this program: it loads, it is called once, and then it says whatever it is told to. */
async function openTestRoom(): Promise<{ send(message: string): Promise<string | undefined> }> {
  let events: LinkEvents | undefined;
  let gone = false;
  const kind: LinkKind = {
    loadParams: () => ({ kind: "js" }),
    open(_, on) {
      events = on;
      queueMicrotask(() => on.message('{"jsonrpc":"2.0","method":"ready"}'));
      return {
        send(text) {
          const { id, method } = JSON.parse(text) as { id: number; method?: string };
          if (method === "load")
            queueMicrotask(() => on.message(`{"jsonrpc":"2.0","id":${id},"result":["on_alert"]}`));
        },
        unread: () => 0,
        watchFree: () => () => {},
        async end() {
          gone = true;
        },
      };
    },
  };
  const room = await openRoom(fakeClock(), kind, GUEST, checkingDoor());
  let answered: string | undefined;
  let open = true;
  const call = room.call("on_alert", { id: "1" }, { deadlineMs: 60_000 });
  void call.then(
    () => {
      open = false;
      answered = "answered";
    },
    (error: unknown) => {
      open = false;
      answered = isVoxError(error) ? error.code : `not an error of ours: ${String(error)}`;
    },
  );
  return {
    async send(message) {
      events?.message(message);
      await Promise.resolve();
      await new Promise((resolve) => setImmediate(resolve));
      if ((Object.prototype as Record<string, unknown>)["polluted"] !== undefined)
        throw new Error("a prototype was changed");
      if (answered?.startsWith("not") === true || answered === "internal.bug") throw new Error(answered);
      if (!open && answered === undefined) throw new Error("the call ended without an answer");
      if (gone && open) throw new Error("the room ended and its call waits");
      if (room.alive && open) return undefined;
      await room.stop();
      return answered ?? "stopped";
    },
  };
}

function checkingDoor(): PluginDoor {
  return {
    methods: [],
    async invoke(method, params) {
      if (typeof method !== "string") throw new TypeError("a method that is no text reached the door");
      JSON.stringify(params);
      return null;
    },
    log(level, text, fields) {
      if (!["debug", "info", "warn", "error"].includes(level) || typeof text !== "string")
        throw new TypeError("a log line of another shape reached the door");
      if (fields !== undefined && Object.hasOwn(fields, "__proto__"))
        throw new TypeError("__proto__ in fields");
    },
  };
}
