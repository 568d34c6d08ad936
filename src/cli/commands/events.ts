/** `events` and `events replay`: what happened, and who was told. */
import type { Client } from "../../api/client.ts";
import type { EventView } from "../../api/operations.ts";
import type { HookName } from "../../sdk/index.ts";
import { argument, command, type Context } from "../command.ts";
import { consume } from "../consume.ts";
import { eventLine, eventTable } from "../event-text.ts";
import { parseHook } from "../hooks.ts";
import { json, jsonLine } from "../output.ts";

const list = command({
  words: "events",
  summary: "show the last events and how their deliveries went",
  args: [],
  options: {
    follow: { type: "flag", short: "f", summary: "show events as they happen" },
    hook: { type: "text", value: "HOOK", summary: "only this hook" },
    limit: {
      type: "integer",
      value: "N",
      min: 0,
      max: 10_000,
      summary: "at most the last N (50; with -f none)",
    },
  },
  example: "voxeltron events --hook on_deploy_fail\nvoxeltron events -f --json",
  notes: ["With --json each event is one line."],
  async run(context) {
    const { options } = context;
    const filter = options.hook === undefined ? {} : { hook: parseHook(options.hook) };
    const client = await context.client();
    if (options.follow) return follow(context, client, filter, options.limit ?? 0);
    const { events } = await client.call("event.list", { ...filter, limit: options.limit ?? 50 });
    await show(context, events);
  },
});

const replay = command({
  words: "events replay",
  summary: "deliver one event again to every plugin that observes it",
  args: [{ name: "id" }],
  options: {},
  example: "voxeltron events replay 01890a5d-ac96-774b-bcce-b302099a8057",
  async run(context) {
    const { io, flags } = context;
    const event = await (await context.client()).call("event.replay", { id: argument(context, "id") });
    await io.stdout.write(flags.json ? json(event) : eventLine(event));
  },
});

export const eventCommands = [list, replay];

// --- internal ---

interface Filter {
  readonly hook?: HookName;
}

/** Listens before it looks back, so that what happens in between is shown, and once. */
async function follow(
  context: Pick<Context, "io" | "flags">,
  client: Client,
  filter: Filter,
  limit: number,
): Promise<void> {
  const stream = client.stream("event.follow", filter);
  const first = stream.next();
  first.catch(() => {});
  const past = limit === 0 ? [] : (await client.call("event.list", { ...filter, limit })).events;
  if (past.length > 0) await show(context, past);
  const shown = new Set(past.map((event) => event.id));
  await consume(resumed(stream, first), (event) => {
    if (shown.delete(event.id)) return;
    return context.io.stdout.write(context.flags.json ? jsonLine(event) : eventLine(event));
  });
}

async function* resumed<T, R>(
  stream: AsyncGenerator<T, R, undefined>,
  first: Promise<IteratorResult<T, R>>,
): AsyncGenerator<T, R, undefined> {
  try {
    const next = await first;
    if (next.done === true) return next.value;
    yield next.value;
    return yield* stream;
  } finally {
    await stream.return(undefined as R).catch(() => {});
  }
}

async function show(
  { io, flags }: Pick<Context, "io" | "flags">,
  events: readonly EventView[],
): Promise<void> {
  if (flags.json) for (const event of events) await io.stdout.write(jsonLine(event));
  else await io.stdout.write(eventTable(events));
}
