/** `registry login · list · logout`: private registries. A password comes by prompt or by pipe, never by argv. */
import { printable } from "../../base/text.ts";
import { argument, command } from "../command.ts";
import { json, table } from "../output.ts";
import { usage } from "../parse.ts";
import { askFor, readPiped } from "../secret-input.ts";

const login = command({
  words: "registry login",
  summary: "keep the password of a private registry; it is stored like a secret",
  args: [{ name: "host" }],
  options: {
    username: { type: "text", short: "u", value: "NAME", summary: "who logs in" },
    "password-stdin": { type: "flag", summary: "read the password from standard input" },
  },
  example: [
    "voxeltron registry login registry.example.com --username deploy",
    "voxeltron registry login registry.example.com -u deploy --password-stdin < token.txt",
  ].join("\n"),
  async run(context) {
    const { io, options, flags } = context;
    const host = argument(context, "host");
    const byPipe = options["password-stdin"];
    if (byPipe && options.username === undefined)
      throw usage("--password-stdin needs --username", { words: "registry login" });
    const username = options.username ?? (await askFor(io, "Username: ", "ask", ADVICE));
    const password = byPipe
      ? await readPiped(io, "password")
      : await askFor(io, "Password: ", "askHidden", ADVICE);
    await (await context.client()).call("registry.login", { host, username, password });
    await io.stdout.write(
      flags.json ? json({ host, username }) : `logged in to ${printable(host)} as ${printable(username)}\n`,
    );
  },
});

const list = command({
  words: "registry list",
  summary: "list the registries that a password is kept for",
  args: [],
  options: {},
  example: "voxeltron registry list",
  async run({ io, flags, client }) {
    const { registries } = await (await client()).call("registry.list", {});
    const rows = registries.map(({ host, username }) => [host, username]);
    await io.stdout.write(
      flags.json ? json(registries) : table(["HOST", "USERNAME"], rows, "no registries are known"),
    );
  },
});

const logout = command({
  words: "registry logout",
  summary: "forget a registry's password",
  args: [{ name: "host" }],
  options: {},
  example: "voxeltron registry logout registry.example.com",
  async run(context) {
    const { io, flags, client } = context;
    const host = argument(context, "host");
    await (await client()).call("registry.logout", { host });
    await io.stdout.write(flags.json ? json({ host, removed: true }) : `logged out of ${printable(host)}\n`);
  },
});

export const registryCommands = [login, list, logout];

// --- internal ---

const ADVICE = "pass --username, and the password by --password-stdin";
