/** `registry login · list · logout`: private registries. A password comes by prompt or by pipe, never by argv. */
import { fail } from "../../base/errors.ts";
import { LIMITS } from "../../base/limits.ts";
import { printable } from "../../base/text.ts";
import { argument, command } from "../command.ts";
import { isInteractive, type Io } from "../io.ts";
import { json, table } from "../output.ts";
import { usage } from "../parse.ts";

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
    const username = options.username ?? (await askFor(io, "Username: ", "ask"));
    const password = byPipe ? await readPassword(io) : await askFor(io, "Password: ", "askHidden");
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

async function askFor(io: Io, question: string, how: "ask" | "askHidden"): Promise<string> {
  if (!isInteractive(io))
    throw fail("usage.invalid", "there is no terminal to ask at", {
      hint: "pass --username, and the password by --password-stdin",
    });
  const answer = await io[how](question);
  if (answer === undefined) throw fail("operation.interrupted", "interrupted");
  if (answer === "") throw fail("usage.invalid", "nothing was typed");
  return answer;
}

/** Without the line end that editors and `echo` leave behind. */
async function readPassword(io: Io): Promise<string> {
  const text = new TextDecoder().decode(await io.stdin.readAll(LIMITS.requestBodyBytes));
  const password = text.replace(/\r?\n$/, "");
  if (password === "") throw fail("usage.invalid", "standard input holds no password");
  return password;
}
