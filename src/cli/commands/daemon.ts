/** `daemon` and `daemon info`. The daemon itself is a role of the program, passed in by its main.ts. */
import type { ConfinementStatus } from "../../api/operations.ts";
import { command } from "../command.ts";
import { facts, json } from "../output.ts";

const daemon = command({
  words: "daemon",
  summary: "run the daemon in the foreground",
  args: [],
  options: {},
  example: "voxeltron daemon\nvoxeltron daemon --data-dir ./data --config ./voxeltron.toml",
  notes: [
    "As root: configuration /etc/voxeltron/config.toml, data /var/lib/voxeltron, socket /run/voxeltron/voxeltron.sock.",
    "As anyone else: the XDG directories. With --data-dir alone, the socket is voxeltron.sock in that directory.",
  ],
  run: ({ runDaemon, flags }) => runDaemon(flags),
});

const info = command({
  words: "daemon info",
  summary: "show which daemon answers",
  args: [],
  options: {},
  example: "voxeltron daemon info",
  async run({ io, flags, client }) {
    const answer = await (await client()).call("daemon.info", {});
    await io.stdout.write(
      flags.json
        ? json(answer)
        : facts([
            ["version", answer.version],
            ["pid", answer.pid],
            ["data", answer.dataDir],
            ["started", answer.startedAt],
            ["plugins", confinementText(answer.confinement)],
          ]),
    );
  },
});

export const daemonCommands = [daemon, info];

// --- internal ---

function confinementText({ state, missing }: ConfinementStatus): string {
  const why = missing.length === 0 ? "" : ` (${missing.join("; ")})`;
  return `${CONFINEMENT[state]}${why}`;
}

const CONFINEMENT: Readonly<Record<ConfinementStatus["state"], string>> = {
  confined: "their processes are confined",
  unconfined: "their processes are NOT confined, as [plugins] allow_unconfined allows",
  unavailable: "their processes can't be confined here and are not started: voxeltron doctor says more",
};
