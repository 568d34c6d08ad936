/** `workspace start · stop · destroy · cancel · status · list`. */
import { printable } from "../../base/text.ts";
import { argument, command, type Context } from "../command.ts";
import { confirm } from "../confirm.ts";
import { json } from "../output.ts";
import { workspaceFacts, workspaceLine, workspaceTable } from "../workspace-text.ts";
import { workOnWorkspace } from "../workspace-work.ts";

const name = [{ name: "name" }];

const start = command({
  words: "workspace start",
  summary: "start a workspace; what runs in it is made again where it is gone",
  args: name,
  options: {},
  example: "voxeltron workspace start shop",
  async run(context) {
    const { io, flags } = context;
    const end = await workOnWorkspace(context, "workspace.start", { name: argument(context, "name") });
    await io.stdout.write(flags.json ? json(end) : workspaceLine(end));
  },
});

const stop = command({
  words: "workspace stop",
  summary: "stop a workspace; it stays stopped until it is started",
  args: name,
  options: {},
  example: "voxeltron workspace stop shop",
  async run(context) {
    const { io, flags, client } = context;
    const end = await (await client()).call("workspace.stop", { name: argument(context, "name") });
    await io.stdout.write(flags.json ? json(end) : workspaceLine(end));
  },
});

const destroy = command({
  words: "workspace destroy",
  summary: "end a workspace with all that is in it; its volumes stay",
  args: name,
  options: {
    yes: { type: "flag", summary: "do not ask" },
    force: { type: "flag", summary: "forget it even where its provider does not remove it" },
  },
  example: "voxeltron workspace destroy shop --yes",
  async run(context) {
    const { io, flags, options, client } = context;
    const workspace = argument(context, "name");
    await confirm(io, `destroy workspace ${workspace}`, options.yes);
    const { isLeft } = await (
      await client()
    ).call("workspace.destroy", { name: workspace, ...(options.force ? { force: true } : {}) });
    const text = `destroyed ${printable(workspace)}\n`;
    await io.stdout.write(flags.json ? json({ name: workspace, destroyed: true, isLeft }) : text);
    if (isLeft && !flags.json)
      await io.stderr.write("its provider did not remove it: something of it may be left there\n");
  },
});

const cancel = command({
  words: "workspace cancel",
  summary: "end what is being done to a workspace, such as a long pull, before it is done",
  args: name,
  options: {},
  example: "voxeltron workspace cancel shop",
  async run(context) {
    const { io, flags, client } = context;
    const workspace = argument(context, "name");
    await (await client()).call("workspace.cancel", { name: workspace });
    await io.stdout.write(
      flags.json ? json({ name: workspace, cancelled: true }) : `cancelled ${printable(workspace)}\n`,
    );
  },
});

const status = command({
  words: "workspace status",
  summary: "show one workspace, or all of them",
  args: [{ name: "name", optional: true }],
  options: {},
  example: "voxeltron workspace status shop\nvoxeltron workspace status shop --json",
  notes: [
    "running (stopped outside) is one that should run, and that somebody stopped without voxeltron. It is started again",
    "by voxeltron workspace start, and when the daemon starts.",
  ],
  async run({ io, flags, args, client }) {
    const workspace = args["name"];
    if (workspace !== undefined) {
      const details = await (await client()).call("workspace.info", { name: workspace });
      return io.stdout.write(flags.json ? json(details) : workspaceFacts(details));
    }
    await showAll({ io, flags, client });
  },
});

const list = command({
  words: "workspace list",
  summary: "show all workspaces",
  args: [],
  options: {},
  example: "voxeltron workspace list",
  run: showAll,
});

export const workspaceCommands = [start, stop, destroy, cancel, status, list];

// --- internal ---

async function showAll({ io, flags, client }: Pick<Context, "io" | "flags" | "client">): Promise<void> {
  const { workspaces } = await (await client()).call("workspace.list", {});
  await io.stdout.write(flags.json ? json(workspaces) : workspaceTable(workspaces));
}
