/** `server list`: the machines that services can run on, and whether their engines answer. */
import { command } from "../command.ts";
import { json, table } from "../output.ts";

const list = command({
  words: "server list",
  summary: "list this machine and the servers of the configuration, and ask their Docker engines",
  args: [],
  options: {},
  example: "voxeltron server list\nvoxeltron server list --json",
  notes: ["Servers are named in the configuration: [servers.NAME]. Status 0 also where one does not answer."],
  async run({ io, flags, client }) {
    const { servers } = await (await client()).call("server.list", {});
    const rows = servers.map((server) => [
      server.name,
      server.endpoint,
      server.address,
      server.reachable ? "yes" : "no",
      server.version ?? server.error,
    ]);
    await io.stdout.write(
      flags.json
        ? json(servers)
        : table(["NAME", "ENDPOINT", "ADDRESS", "REACHABLE", "ENGINE"], rows, "no servers"),
    );
  },
});

export const serverCommands = [list];
