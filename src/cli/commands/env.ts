/** `env set · list · unset`: a service's variables. They reach the instance with the next deploy. */
import { printable } from "../../base/text.ts";
import { LIMITS } from "../../base/limits.ts";
import { argument, command } from "../command.ts";
import { json, table } from "../output.ts";
import { checkKey, parsePairs } from "../pairs.ts";

const set = command({
  words: "env set",
  summary: "set variables of a service",
  args: [{ name: "service" }, { name: "KEY=VALUE", rest: true }],
  options: {},
  example: "voxeltron env set web LOG_LEVEL=debug FEATURE=on\nvoxeltron env set web - < variables.env",
  notes: [
    "The service gets them with its next deploy: voxeltron deploy <service> is enough.",
    "With - the pairs are read from standard input, one a line, so that no other user of this machine sees them.",
  ],
  async run(context) {
    const { io, rest, flags, client } = context;
    const env = parsePairs(rest.length === 1 && rest[0] === "-" ? await readPairs(context.io) : rest);
    await (await client()).call("env.set", { name: argument(context, "service"), env });
    const keys = Object.keys(env);
    await io.stdout.write(flags.json ? json({ set: keys }) : `set ${keys.join(", ")}${LATER}`);
  },
});

const list = command({
  words: "env list",
  summary: "show a service's variables with their values",
  args: [{ name: "service" }],
  options: {},
  example: "voxeltron env list web",
  async run(context) {
    const { io, flags, client } = context;
    const { env } = await (await client()).call("env.list", { name: argument(context, "service") });
    const rows = Object.entries(env).toSorted(([a], [b]) => (a < b ? -1 : 1));
    await io.stdout.write(
      flags.json
        ? json(rows.map(([key, value]) => ({ key, value })))
        : table(["KEY", "VALUE"], rows, "no variables are set"),
    );
  },
});

const unset = command({
  words: "env unset",
  summary: "remove variables of a service",
  args: [{ name: "service" }, { name: "KEY", rest: true }],
  options: {},
  example: "voxeltron env unset web FEATURE",
  notes: ["They are gone from the service with its next deploy."],
  async run(context) {
    const { io, rest, flags, client } = context;
    for (const key of rest) checkKey(key);
    await (await client()).call("env.unset", { name: argument(context, "service"), keys: [...rest] });
    await io.stdout.write(
      flags.json ? json({ unset: rest }) : `unset ${rest.map((key) => printable(key)).join(", ")}${LATER}`,
    );
  },
});

export const envCommands = [set, list, unset];

// --- internal ---

const LATER = "; counts from the next deploy on\n";

/** Empty lines and lines that start with # are left out. */
async function readPairs(io: Parameters<typeof set.run>[0]["io"]): Promise<readonly string[]> {
  const text = new TextDecoder().decode(await io.stdin.readAll(LIMITS.requestBodyBytes));
  return text
    .split(/\r?\n/)
    .map((line) => line.trimStart())
    .filter((line) => line !== "" && !line.startsWith("#"));
}
