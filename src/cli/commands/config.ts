/** `config check`: the same check that the daemon makes, before it has to. */
import { printable } from "../../base/text.ts";
import { command } from "../command.ts";
import { json } from "../output.ts";

const check = command({
  words: "config check",
  summary: "check a configuration file",
  args: [{ name: "file", optional: true }],
  options: {},
  example: "voxeltron config check\nvoxeltron config check ./voxeltron.toml",
  async run({ io, flags, args, place }) {
    const { checkConfigFile } = await import("../../api/offline.ts");
    const named = args["file"] ?? flags.config;
    const { file, warnings } = await checkConfigFile(named, io.environment, io.uid);
    for (const warning of warnings) await io.stderr.write(`warning: ${warning}\n`);
    const said =
      file === undefined
        ? `there is no ${printable(place.configFile().path)}: defaults are used`
        : `${printable(file)} is valid`;
    await io.stdout.write(flags.json ? json({ file: file ?? null, valid: true }) : `${said}\n`);
  },
});

export const configCommands = [check];
