/** `workspace create`: from what was typed to what the daemon is asked for. */
import { resolve } from "node:path";
import { fail } from "../../base/errors.ts";
import { printable, quote } from "../../base/text.ts";
import { argument, command } from "../command.ts";
import { given } from "../given.ts";
import { json } from "../output.ts";
import { parsePairs } from "../pairs.ts";
import { workspaceLine } from "../workspace-text.ts";
import { workOnWorkspace } from "../workspace-work.ts";

export const workspaceCreate = command({
  words: "workspace create",
  summary: "make a workspace: a container to develop in, or a command in a folder of its own",
  args: [{ name: "name" }],
  options: {
    image: { type: "text", value: "REF", summary: "image to run" },
    provider: { type: "text", value: "NAME", summary: "what runs it: docker, process, or a plugin that can" },
    server: { type: "text", value: "NAME", summary: "where it runs; local is this machine" },
    port: {
      type: "list",
      value: "NAME=PORT",
      summary: "port of this host that leads to it: app=8080, or 3000=8080 where it is 3000 inside",
    },
    env: { type: "list", value: "KEY=VALUE", summary: "variable inside" },
    cpus: { type: "decimal", value: "N", min: 0.01, max: 1024, summary: "at most so many processors" },
    memory: { type: "text", value: "SIZE", summary: "at most this much memory, such as 512m or 4g" },
    volume: {
      type: "list",
      value: "SRC:DST[:ro]",
      summary: "a volume's name or a folder of the host, mounted at DST",
    },
    command: {
      type: "text",
      value: "CMD",
      summary: "what runs in it, instead of the image's own; quotes group, no shell reads it",
    },
    start: { type: "flag", summary: "then start it" },
  },
  example: [
    "voxeltron workspace create shop --image node:22 --port app=8080 --volume .:/work --start",
    "voxeltron workspace create db --image postgres:17 --port 5432 --env POSTGRES_PASSWORD=x --memory 1g --cpus 2",
    'voxeltron workspace create docs --provider process --command "python3 -m http.server" --port app=8000',
  ].join("\n"),
  notes: [
    "It is stopped until it is started. Its ports are on 127.0.0.1, or on the address of its server. Its standard input stays open, so that an image",
    "whose command is a shell stays up. A folder that begins with a dot is looked for from here.",
    "Values given with --env are seen by other users of this machine while the command runs, and by plugins that hear",
    "of workspaces.",
  ],
  run: async (context) => {
    const { options, io, flags } = context;
    const { image, provider, server, cpus, memory, command: wanted } = options;
    const end = await workOnWorkspace(context, "workspace.create", {
      name: argument(context, "name"),
      ...given({
        image,
        provider,
        server,
        cpus,
        memory,
        command: wanted,
        ports: options.port.length === 0 ? undefined : parsePorts(options.port),
        env: options.env.length === 0 ? undefined : parsePairs(options.env),
        volumes: options.volume.length === 0 ? undefined : options.volume.map(fromHere),
        start: options.start ? true : undefined,
      }),
    });
    const text = options.start ? workspaceLine(end) : `created ${printable(end.name)}\n`;
    await io.stdout.write(flags.json ? json(end) : text);
  },
});

// --- internal ---

/** `app=8080`, `3000=8080`, `8080`. Throws `usage.invalid`; whether a name or a number will do is the daemon's business. */
function parsePorts(texts: readonly string[]): Record<string, number> {
  const ports = Object.create(null) as Record<string, number>;
  for (const text of texts) {
    const [, key = "", number] = /^([^=:]+)(?:=(\d{1,5}))?$/.exec(text) ?? [];
    const outside = Number(number ?? key);
    if (key === "" || !Number.isInteger(outside))
      throw fail("usage.invalid", `--port wants NAME=PORT, found ${quote(text)}`, {
        hint: portHint(text),
      });
    if (key in ports) throw fail("usage.invalid", `--port ${printable(key)} is given twice`);
    ports[key] = outside;
  }
  return { ...ports };
}

/** As others write it: the host's port first. */
function portHint(text: string): string {
  const [, outside, inside] = /^(\d+):(\d+)$/.exec(text) ?? [];
  return inside === undefined
    ? "for example app=8080; or 3000=8080, where it is 3000 inside"
    : `where it is ${inside} inside and ${outside} on the host: --port ${inside}=${outside}`;
}

function fromHere(volume: string): string {
  const [source = "", ...rest] = volume.split(":");
  return /^\.\.?(?:\/|$)/.test(source) ? [resolve(source), ...rest].join(":") : volume;
}
