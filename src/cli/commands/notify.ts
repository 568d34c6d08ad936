/** `notify list · test`: the notification channels of the configuration, of which only name and type are ever shown. */
import { printable } from "../../base/text.ts";
import { argument, command } from "../command.ts";
import { json, table } from "../output.ts";

const list = command({
  words: "notify list",
  summary: "list the notification channels of the configuration, without their addresses",
  args: [],
  options: {},
  example: "voxeltron notify list",
  async run({ io, flags, client }) {
    const { channels } = await (await client()).call("notify.list", {});
    const rows = channels.map(({ name, type }) => [name, type]);
    await io.stdout.write(
      flags.json ? json(channels) : table(["CHANNEL", "TYPE"], rows, "no channels are configured"),
    );
  },
});

const test = command({
  words: "notify test",
  summary: "send a test message to a notification channel",
  args: [{ name: "channel" }],
  options: {},
  example: "voxeltron notify test ops",
  notes: ["Ends with status 0 when the service behind the channel has accepted the message."],
  async run(context) {
    const { io, flags, client } = context;
    const sent = await (await client()).call("notify.test", { channel: argument(context, "channel") });
    await io.stdout.write(flags.json ? json(sent) : `${sentText(sent)}\n`);
  },
});

export const notifyCommands = [list, test];

// --- internal ---

interface Sent {
  readonly channel: string;
  readonly type: string;
  readonly attempts: number;
  readonly refused: number;
}

function sentText({ channel, type, attempts, refused }: Sent): string {
  const tries = attempts > 1 ? ` at the ${ORDINALS[attempts] ?? `${attempts}th`} attempt` : "";
  const without = refused > 0 ? `, but was refused for ${refused} of its recipients` : "";
  return `✓ ${printable(channel)} (${printable(type)}) accepted the message${tries}${without}`;
}

const ORDINALS: Readonly<Record<number, string>> = { 2: "second", 3: "third" };
