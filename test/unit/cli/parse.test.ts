import { describe, expect, test } from "bun:test";
import { commands } from "../../../src/cli/commands.ts";
import { momentText } from "../../../src/cli/commands/logs.ts";
import { commandHelp, nounHelp, overviewHelp } from "../../../src/cli/help.ts";
import { cliStatus } from "../../../src/cli/main.ts";
import { parsePairs } from "../../../src/cli/pairs.ts";
import { parseCommandLine } from "../../../src/cli/parse.ts";
import { fakeIo } from "./fake-io.ts";

async function noDaemon(): Promise<void> {}

const parse = (line: string | readonly string[]) =>
  parseCommandLine(typeof line === "string" ? line.split(" ").filter(Boolean) : line, commands);

describe("what is understood", () => {
  test("global options stand anywhere before the end of options", () => {
    for (const line of [
      "--json --socket /s plugin list",
      "plugin --socket /s list --json",
      "plugin list --json --socket=/s",
    ]) {
      const parsed = parse(line);
      expect(parsed.command?.words).toBe("plugin list");
      expect(parsed.flags).toMatchObject({ json: true, socket: "/s" });
    }
  });

  test("the longer command wins, and the shorter one is there too", () => {
    expect(parse("events replay x").command?.words).toBe("events replay");
    expect(parse("events --limit 5").command?.words).toBe("events");
    expect(parse("daemon info").command?.words).toBe("daemon info");
    expect(parse("daemon --data-dir /d").command?.words).toBe("daemon");
  });

  test("text stays text: leading zeros, exponents and equals signs survive", () => {
    expect(parse("plugin info 1e3").args).toEqual({ name: "1e3" });
    expect(parse("registry login h --username 007").options["username"]).toBe("007");
    expect(parse("deploy web --env A=b=c --env D=").options["env"]).toEqual(["A=b=c", "D="]);
    expect(parse(["deploy", "web", "--command=-x y"]).options["command"]).toBe("-x y");
  });

  test("everything behind -- is passed on as it is", () => {
    const { args, rest, flags } = parse("exec web -- ls --json -la -- x");
    expect(args).toEqual({ service: "web" });
    expect(rest).toEqual(["ls", "--json", "-la", "--", "x"]);
    expect(flags.json).toBe(false);
  });

  test("short options stand alone or together with a value", () => {
    expect(parse("logs web -f --tail 5").options).toMatchObject({ follow: true, tail: 5 });
    expect(parse("registry login h -u me").options["username"]).toBe("me");
  });
});

describe("what is refused", () => {
  for (const [line, message] of [
    ["plugn list", 'there is no command "plugn"; did you mean plugin?'],
    ["plugin instal x", 'there is no command "plugin instal"; did you mean install?'],
    ["plugin", "plugin needs one of: install, list"],
    ["plugin list extra", '"extra" is one argument too many'],
    ["plugin info", "plugin info needs <name>"],
    ["deploy web --imag x", 'there is no option "--imag"; did you mean --image?'],
    ["--jsn plugin list", 'there is no option "--jsn"; did you mean --json?'],
    ["deploy web --image", "--image needs a value: --image REF"],
    ["deploy web --image --detach", '--image needs a value, found "--detach"'],
    ["deploy web --detach=yes", '--detach takes no value, found "yes"'],
    ["deploy web --image a --image b", "--image was given twice"],
    ["deploy web --port 0", '--port wants a whole number from 1 to 65535, found "0"'],
    ["deploy web --port 8e1", '--port wants a whole number from 1 to 65535, found "8e1"'],
    ["deploy web --cpus Infinity", "--cpus wants a number from 0.01 to 1024"],
    ["exec web ls -la", 'there is no option "-l"; write -- before what is passed on'],
    ["exec web", "exec needs -- command"],
    ["deploy --__proto__ x", 'there is no option "--__proto__"'],
    ["deploy web --constructor", 'there is no option "--constructor"'],
    ["toString", 'there is no command "toString"'],
  ] as const)
    test(line, () => {
      expect(() => parse(line)).toThrow(
        expect.objectContaining({ code: "usage.invalid", message: expect.stringContaining(message) }),
      );
    });

  test("what was typed can't colour the error", async () => {
    const io = fakeIo();
    expect(await cliStatus(["\u001B[31mx"], io, noDaemon)).toBe(2);
    expect(io.shown.stderr).not.toContain("\u001B");
  });

  test("an empty name is no name", () => {
    expect(() => parse(["plugin", "info", ""])).toThrow("name is empty");
  });

  test("the value of a variable is not repeated in an error", () => {
    expect(() => parsePairs(["A=secret", "A=secret"])).toThrow(/^A is set twice$/);
    expect(() => parsePairs(["1A=secret"])).toThrow(/^"1A" is no name/);
    expect(() => parsePairs(["A"])).toThrow("A has no value, wanted A=VALUE");
    expect(parsePairs(["A=", "B=x=y"])).toEqual({ A: "", B: "x=y" });
  });

  test("--since is a time or an age", () => {
    const now = Date.UTC(2026, 0, 1);
    expect(momentText("since", "10m", now)).toBe("2025-12-31T23:50:00.000Z");
    expect(momentText("since", "2026-01-31T08:00:00Z", now)).toBe("2026-01-31T08:00:00.000Z");
    for (const text of ["", "yesterday", "10", "-5m", "2026-13-45"])
      expect(() => momentText("since", text, now)).toThrow("--since wants a time");
  });
});

describe("help", () => {
  test("the overview names every command", () => {
    const overview = overviewHelp(commands);
    for (const command of commands) expect(overview).toContain(`\n  ${command.words}`);
  });

  for (const command of commands)
    test(`${command.words} has help with an example that parses`, async () => {
      const io = fakeIo();
      expect(await cliStatus([...command.words.split(" "), "--help"], io, noDaemon)).toBe(0);
      expect(io.shown.stdout).toBe(commandHelp(command, commands));
      for (const option of Object.keys(command.options)) expect(io.shown.stdout).toContain(`--${option}`);
      for (const line of command.example.split("\n")) {
        expect(io.shown.stdout).toContain(`  ${line}\n`);
        const words = line.split(" < ")[0]?.match(/"[^"]*"|\S+/g) ?? [];
        expect(words[0]).toBe("voxeltron");
        expect(parse(words.slice(1)).command).toBe(command);
      }
    });

  test("a noun, help before the words and no words at all show help too", async () => {
    for (const [argv, text] of [
      [["plugin", "--help"], nounHelp("plugin", commands)],
      [["help", "plugin"], nounHelp("plugin", commands)],
      [["help", "deploy"], commandHelp(parse("deploy --help").command ?? commands[0]!, commands)],
      [[], overviewHelp(commands)],
      [["help"], overviewHelp(commands)],
    ] as const) {
      const io = fakeIo();
      expect(await cliStatus(argv, io, noDaemon)).toBe(0);
      expect(io.shown.stdout).toBe(text);
    }
  });

  test("--version is one line, and a document with --json", async () => {
    const io = fakeIo();
    await cliStatus(["--version"], io, noDaemon);
    expect(io.shown.stdout).toMatch(/^voxeltron \d+\.\d+\.\d+\n$/);
    const asJson = fakeIo();
    await cliStatus(["--version", "--json"], asJson, noDaemon);
    expect(JSON.parse(asJson.shown.stdout)).toHaveProperty("version");
  });

  test("no two commands or options share a name", () => {
    const words = commands.map((command) => command.words);
    expect(new Set(words).size).toBe(words.length);
  });
});
