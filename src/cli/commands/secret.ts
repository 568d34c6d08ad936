/** `secret set · list · unset · rotate-key`: a service's secrets. A value comes by prompt, file or pipe, and is never shown. */
import { fail, type VoxError } from "../../base/errors.ts";
import { printable } from "../../base/text.ts";
import { argument, command, type Context } from "../command.ts";
import { json, table } from "../output.ts";
import { checkKey } from "../pairs.ts";
import { askFor, readPiped, readSecretFile } from "../secret-input.ts";

const set = command({
  words: "secret set",
  summary: "set a secret of a service; asks for its value",
  args: [{ name: "service" }, { name: "name" }],
  refuseMore: () => valueInArgv(),
  options: {
    file: { type: "text", value: "FILE", summary: "read the value from a file; - is standard input" },
  },
  example: [
    "voxeltron secret set web DATABASE_PASSWORD",
    "voxeltron secret set web TLS_KEY --file key.pem",
    "voxeltron secret set web SESSION_KEY < session.key",
  ].join("\n"),
  notes: [
    "The service gets it as a variable with its next deploy: voxeltron deploy <service> is enough. A process that is",
    "started again before that gets it then. The service need not exist yet.",
    "One line end at the end of a file or of standard input is not part of the value.",
  ],
  async run(context) {
    const { io, flags, client } = context;
    const service = argument(context, "service");
    const name = argument(context, "name");
    checkName(name);
    const value = await readValue(context, context.options.file, name);
    const { isDeployed, isRedacted } = await (await client()).call("secret.set", { service, name, value });
    if (!isRedacted)
      await io.stderr.write(
        `warning: ${name} is too short to be told from other text: it will not be taken out of logs\n`,
      );
    await io.stdout.write(
      flags.json ? json({ service, set: name, isRedacted }) : `set ${name}${isDeployed ? LATER : FIRST}`,
    );
  },
});

const list = command({
  words: "secret list",
  summary: "list secrets, without their values",
  args: [{ name: "service", optional: true }],
  options: {},
  example: "voxeltron secret list\nvoxeltron secret list web",
  async run({ io, args, flags, client }) {
    const { service } = args;
    const { secrets } = await (await client()).call("secret.list", service === undefined ? {} : { service });
    const rows = secrets.map((secret) => [secret.service, secret.name, secret.updatedAt]);
    await io.stdout.write(
      flags.json ? json(secrets) : table(["SERVICE", "NAME", "SET"], rows, "no secrets are set"),
    );
  },
});

const unset = command({
  words: "secret unset",
  summary: "remove secrets of a service",
  args: [{ name: "service" }, { name: "NAME", rest: true }],
  options: {},
  example: "voxeltron secret unset web DATABASE_PASSWORD",
  notes: ["They are gone from the service with its next deploy."],
  async run(context) {
    const { io, rest, flags, client } = context;
    for (const name of rest) checkKey(name);
    const service = argument(context, "service");
    await (await client()).call("secret.unset", { service, names: [...rest] });
    await io.stdout.write(
      flags.json ? json({ unset: rest }) : `unset ${rest.map((name) => printable(name)).join(", ")}${LATER}`,
    );
  },
});

const rotateKey = command({
  words: "secret rotate-key",
  summary: "make a new key, and seal all secrets and registry passwords with it",
  args: [],
  options: {},
  example: "voxeltron secret rotate-key",
  notes: [
    "Values stay as they are, and nothing is started again. A key that the daemon can't write, such as a credential",
    "of systemd, is changed by hand: the command then says how.",
  ],
  async run({ io, flags, client }) {
    const { sealed } = await (await client()).call("secret.rotate", {});
    await io.stdout.write(flags.json ? json({ sealed }) : `there is a new key; sealed with it: ${sealed}\n`);
  },
});

export const secretCommands = [set, list, unset, rotateKey];

// --- internal ---

const LATER = "; counts from the next deploy on\n";
const FIRST = "; the service gets it with its first deploy\n";

async function readValue(
  { io }: Pick<Context, "io">,
  file: string | undefined,
  name: string,
): Promise<string> {
  if (file !== undefined && file !== "-") return readSecretFile(file);
  if (file === "-" || !io.stdin.isTerminal) return readPiped(io, "value");
  return askFor(io, `Value of ${name}: `, "askHidden", "pass --file FILE, or the value by standard input");
}

/** What comes after a = would be the value, and is not repeated. */
function checkName(name: string): void {
  if (name.includes("=")) throw valueInArgv();
  checkKey(name);
}

function valueInArgv(): VoxError {
  return fail("usage.invalid", "a secret's value is no argument: everybody on this machine can read those", {
    hint: "leave it away and type it when asked, or pass --file FILE, or pipe it in; if it was real, it is known now: change it",
  });
}
