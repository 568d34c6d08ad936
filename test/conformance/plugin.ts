/**
 * The conformance plugin in TypeScript. It is a plugin, not a part of the suite: it runs inside the rooms and imports nothing but
 * types. What the commands mean is written in program.ts.
 */
import type { NotifyMessage, PluginContext, PluginError, VoxeltronPlugin } from "../../src/sdk/index.ts";

const plugin: VoxeltronPlugin = {
  on_alert: (event, ctx) => run({ hook: "on_alert", event, ctx }, event.message),
  on_deploy_success: (event, ctx) =>
    run({ hook: "on_deploy_success", event, ctx }, (event as unknown as { message: string }).message),
};

export default plugin;

interface Call {
  readonly hook: string;
  readonly event: unknown;
  readonly ctx: PluginContext;
}

type Command = (call: Call, rest: string) => unknown;

async function run(call: Call, program: string): Promise<unknown> {
  const answers: unknown[] = [];
  for (const line of program.split("\n")) {
    const [word, rest] = cut(line);
    const command = COMMANDS[word];
    if (command === undefined) throw new Error("the TypeScript plugin has no such command");
    answers.push(await command(call, rest));
  }
  return answers.length === 1 ? answers[0] : answers.map((answer) => answer ?? null);
}

let calls = 0;
const kept: Uint8Array[] = [];

const COMMANDS: Readonly<Record<string, Command>> = {
  echo: ({ event }) => event,
  length: ({ event }) => new TextEncoder().encode(JSON.stringify(event)).length,
  hook: ({ hook }) => hook,
  say: (_call, rest) => rest,
  raw: (_call, rest) => JSON.parse(rest) as unknown,
  nothing: () => undefined,
  big: (_call, rest) => "x".repeat(Number(rest)),
  deep: (_call, rest) => JSON.parse("[".repeat(Number(rest)) + "]".repeat(Number(rest))) as unknown,
  wide: (_call, rest) => Array.from({ length: Number(rest) }, () => 0),
  count: () => ++calls,
  throw(_call, rest) {
    throw new Error(rest);
  },
  log({ ctx }, rest) {
    const [level, text] = cut(rest);
    ctx.log[level as Level](text);
  },
  config: ({ ctx }, rest) => ctx.config[rest] ?? null,
  call: ({ ctx }, rest) => ask(ctx, rest),
  async repeat({ ctx }, rest) {
    const [times, call] = cut(rest);
    let answer: unknown;
    for (let i = 0; i < Number(times); i++) answer = await ask(ctx, call);
    return answer;
  },
  store: ({ ctx }, rest) => ask(ctx, `kv.set {"key":"big","value":"${"x".repeat(Number(rest))}"}`),
  loop() {
    for (;;) calls++;
  },
  recurse: () => deeper(0),
  grow(_call, rest) {
    for (let i = 0; i < Number(rest); i++) kept.push(new Uint8Array(1 << 20).fill(1));
    return kept.length;
  },

  // What only JavaScript has.
  plugin: ({ ctx }) => ctx.plugin,
  fields({ ctx }, rest) {
    const [level, more] = cut(rest);
    const [fields, text] = cut(more);
    ctx.log[level as Level](text, JSON.parse(fields) as Record<string, unknown>);
  },
  print(_call, rest) {
    const [stream, text] = cut(rest);
    if (stream === "stderr") console.error(text);
    else console.log(text);
  },
  wait: (_call, rest) => new Promise((resolve) => setTimeout(() => resolve(null), Number(rest))),
  never: () => new Promise(() => {}),
  throwValue(_call, rest) {
    throw JSON.parse(rest);
  },
  throwNothing() {
    throw undefined;
  },
  throwCode(_call, rest) {
    const [code, text] = cut(rest);
    throw Object.assign(new RangeError(text), { code });
  },
  unjsonable: (_call, rest) => UNJSONABLE[rest]?.(),
  both: ({ ctx }, rest) => Promise.all(rest.split(" ; ").map((call) => ask(ctx, call))),
};

type Level = "debug" | "info" | "warn" | "error";

const UNJSONABLE: Readonly<Record<string, () => unknown>> = {
  bigint: () => 5n,
  function: () => () => {},
  symbol: () => Symbol("s"),
  circle: () => {
    const circle: { self?: unknown } = {};
    circle.self = circle;
    return circle;
  },
  toJSON: () => ({
    toJSON() {
      throw new Error("not this");
    },
  }),
};

function cut(text: string): readonly [string, string] {
  const space = text.indexOf(" ");
  return space < 0 ? [text, ""] : [text.slice(0, space), text.slice(space + 1)];
}

function deeper(level: number): number {
  return deeper(level + 1) + level;
}

/** The answer in the form that the WASM rooms give. */
async function ask(ctx: PluginContext, call: string): Promise<unknown> {
  const [name, text] = cut(call);
  const method = METHODS[name];
  if (method === undefined) throw new Error("no such method");
  try {
    return { result: plain(await method(ctx, JSON.parse(text) as Params)) };
  } catch (error) {
    const { code, message, hint, details } = error as PluginError & { readonly details?: unknown };
    return {
      error: {
        code,
        message,
        ...(hint === undefined ? {} : { hint }),
        ...(details === undefined ? {} : { details }),
      },
    };
  }
}

/** Bytes as the daemon writes them. */
function plain(result: unknown): unknown {
  return result instanceof Uint8Array ? { $b64: base64(result) } : (result ?? null);
}

function base64(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes));
}

type Params = Readonly<Record<string, never>>;

const METHODS: Readonly<Record<string, (ctx: PluginContext, params: Params) => Promise<unknown>>> = {
  "kv.get": (ctx, { key }) => ctx.kv.get(key!),
  "kv.set": (ctx, { key, value }) => ctx.kv.set(key!, value),
  "kv.delete": (ctx, { key }) => ctx.kv.delete(key!),
  "kv.list": (ctx, { prefix }) => ctx.kv.list(prefix),
  "notify.send": (ctx, { channel, message }) =>
    ctx.notify.send(channel!, message as unknown as NotifyMessage),
  "net.fetch": (_ctx, params) => request(params as unknown as Request),
};

interface Request {
  readonly url: string;
  readonly method?: string;
  readonly headers?: [string, string][];
  readonly body?: { readonly $b64: string };
}

async function request({ url, method, headers, body }: Request): Promise<unknown> {
  const answer = await fetch(url, {
    ...(method === undefined ? {} : { method }),
    ...(headers === undefined ? {} : { headers }),
    ...(body === undefined ? {} : { body: Uint8Array.from(atob(body.$b64), (one) => one.charCodeAt(0)) }),
  });
  const bytes = new Uint8Array(await answer.arrayBuffer());
  return {
    url: answer.url,
    status: answer.status,
    statusText: answer.statusText,
    headers: [...answer.headers],
    body: { $b64: base64(bytes) },
    redirected: answer.redirected,
  };
}
