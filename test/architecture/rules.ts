/**
 * The import rules and the held powers, as data. A rule is a name, a test of one source file and what to do instead; the
 * architecture test runs them over src/ and over a breach of each.
 */
import { dirname, join, normalize } from "node:path";
import { strangers } from "./callers.ts";
import type { Source } from "./source.ts";

export interface Finding {
  readonly rule: string;
  readonly path: string;
  readonly found: string;
  readonly instead: string;
}

export function findings(sources: readonly Source[]): Finding[] {
  return sources.flatMap((source) =>
    RULES.flatMap((rule) =>
      rule
        .breaches(source, sources)
        .map((found) => ({ rule: rule.name, path: source.path, found, instead: rule.instead })),
    ),
  );
}

// --- internal ---

interface Rule {
  readonly name: string;
  readonly instead: string;
  readonly breaches: (source: Source, sources: readonly Source[]) => readonly string[];
}

/** Downwards: a layer may import those with a smaller number. `sdk` is a leaf beside them. */
const LAYERS: Readonly<Record<string, number>> = {
  main: 7,
  cli: 6,
  api: 5,
  daemon: 4,
  host: 3,
  engine: 3,
  state: 2,
  platform: 1,
  base: 0,
};

const RULES: readonly Rule[] = [
  imports(
    "imports run downwards",
    "main → cli → api → daemon → host | engine → state | platform → base",
    (from, to) => {
      const [a, b] = [LAYERS[from], LAYERS[to]];
      return a !== undefined && b !== undefined && b > a;
    },
  ),
  imports(
    "host and engine meet in daemon/compose only",
    "take it as a parameter",
    (from, to) => (from === "host" && to === "engine") || (from === "engine" && to === "host"),
  ),
  imports(
    "cli speaks to the api",
    "import from api, sdk or base",
    (from, to) => from === "cli" && !["cli", "api", "sdk", "base", "a package"].includes(to),
  ),
  imports(
    "the sdk stands alone",
    "the sdk has no dependencies",
    (from, to) => from === "sdk" && to !== "sdk",
  ),
  held("only state speaks SQL", "a repository in src/state", /from "bun:sqlite"/, [
    "src/state/",
    "src/daemon/lock.ts",
  ]),
  held("dockerode is held by its provider", "engine/providers/provider.ts", /["']dockerode["']/, [
    "src/engine/providers/docker/",
  ]),
  held("mail leaves through one client", "a SmtpClient that is passed in", /["']nodemailer/, [
    "src/platform/smtp/",
  ]),
  held("libc is held by platform", "a function of src/platform", /["']bun:ffi["']/, ["src/platform/"]),
  held("output must not be cut", "process.exitCode and a natural end", /\bprocess\.exit\(/, []),
  held("one place writes", "a Log, or cli/output.ts", /\bconsole\.\w+\(/, ["src/host/runtimes/js-worker/"]),
  held(
    "time comes from a Clock",
    "a Clock that is passed in",
    /\bDate\.now\(|new Date\(\)|(?<![.\w])setTimeout\(|(?<![.\w])setInterval\(/,
    ["src/base/clock.ts", "src/host/runtimes/js-worker/", "src/host/runtimes/js/", "src/cli/"],
  ),
  held("no shell", "an argv array", /\bBun\.\$|["']-c["']\s*,|\bexecSync\(|\bshell:\s*true/, []),
  {
    name: "a file says what it is",
    instead: "begin with a comment of two to six lines",
    breaches: ({ text }) => (text.startsWith("/**") ? [] : [text.split("\n")[0] ?? ""]),
  },
  {
    name: "a head names callers that exist",
    instead: "name files that import it, or say who it is for in other words",
    breaches: strangers,
  },
  {
    name: "a file is short",
    instead: "find the second noun in it",
    breaches: ({ text }) => (text.split("\n").length > 400 ? [`${text.split("\n").length} lines`] : []),
  },
];

function imports(name: string, instead: string, breaks: (from: string, to: string) => boolean): Rule {
  return {
    name,
    instead,
    breaches: ({ path, text }) => {
      const from = layerOf(path);
      return importsOf(text).filter((target) =>
        breaks(from, target.startsWith(".") ? layerOf(join(dirname(path), target)) : "a package"),
      );
    },
  };
}

function held(name: string, instead: string, pattern: RegExp, holders: readonly string[]): Rule {
  return {
    name,
    instead,
    breaches: ({ path, text }) =>
      holders.some((holder) => path.startsWith(holder))
        ? []
        : text.split("\n").filter((line) => !/^\s*(\/\/|\*|\/\*)/.test(line) && pattern.test(line)),
  };
}

function layerOf(path: string): string {
  const [, layer = "", ...rest] = normalize(path).split("/");
  return rest.length === 0 ? layer.replace(/\.ts$/, "") : layer;
}

function importsOf(text: string): string[] {
  const code = text.replaceAll(/^\s*(\/\/|\*|\/\*).*$/gm, "");
  return [...code.matchAll(/(?:from\s+|import\s*\(\s*|import\s+)["']([^"']+)["']/g)].map(
    (match) => match[1] ?? "",
  );
}
