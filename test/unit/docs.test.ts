/** The documents say what the tables say. */
import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { checkReference } from "../../scripts/docs/check-reference.ts";
import { apiReference, errorReference } from "../../scripts/docs/references.ts";
import { VARIABLES } from "../../src/daemon/config-environment.ts";
import { PURE_BUILTINS } from "../../src/host/bundle/pure-builtins.ts";
import { CAPABILITIES, CAPABILITY_NAMES, HOOK_NAMES } from "../../src/sdk/index.ts";

const root = join(import.meta.dir, "../..");
const read = (path: string) => readFileSync(join(root, path), "utf8");

describe("documents", () => {
  test("docs/errors.md is made from the table (bun run docs)", () => {
    expect(read("docs/errors.md")).toBe(errorReference());
  });

  test("docs/api.md is made from the table (bun run docs)", () => {
    expect(read("docs/api.md")).toBe(apiReference());
  });

  test("docs/plugin-check.md is made from the table (bun run docs)", () => {
    expect(read("docs/plugin-check.md")).toBe(checkReference());
  });

  test("docs/plugins.md names every hook and every capability", () => {
    const text = read("docs/plugins.md");
    expect([...HOOK_NAMES, ...CAPABILITY_NAMES].filter((name) => !text.includes(`\`${name}\``))).toEqual([]);
  });

  test("docs/capabilities.md and README.md name every capability, the former with its risk", () => {
    const text = read("docs/capabilities.md");
    const readme = read("README.md");
    const missing = CAPABILITY_NAMES.filter(
      (name) =>
        !text.includes(`| \`${name}\` | ${CAPABILITIES[name].risk} |`) || !readme.includes(`\`${name}\``),
    );
    expect(missing).toEqual([]);
  });

  test("docs/plugins.md names every Node module that may be imported, in order", () => {
    const list = read("docs/plugins.md")
      .split("\n")
      .filter((line) => /^`[a-z_]/.test(line) && !line.includes(":"));
    const named = list.flatMap((line) => [...line.matchAll(/`([^`]+)`/g)].map((match) => `node:${match[1]}`));
    expect(named.filter((name) => PURE_BUILTINS.includes(name))).toEqual([...PURE_BUILTINS]);
  });

  test("docs/configuration.md names every variable", () => {
    const text = read("docs/configuration.md");
    expect(VARIABLES.map(({ variable }) => variable).filter((name) => !text.includes(name))).toEqual([]);
  });

  test("links lead somewhere", () => {
    const pages = [
      "README.md",
      "ARCHITECTURE.md",
      "CONTRIBUTING.md",
      "SECURITY.md",
      ...new Bun.Glob("docs/**/*.md").scanSync(root),
    ];
    const dead = pages.flatMap((page) =>
      [...read(page).matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g)]
        .map((match) => match[1] ?? "")
        .filter((target) => !existsSync(join(root, dirname(page), target)))
        .map((target) => `${page}: ${target}`),
    );
    expect(dead).toEqual([]);
  });

  test("links into a page lead to one of its headings", () => {
    const pages = ["README.md", "SECURITY.md", ...new Bun.Glob("docs/*.md").scanSync(root)];
    const links = pages.flatMap((page) =>
      [...read(page).matchAll(/\]\(([^)#:]*)#([^)]+)\)/g)].map(([, file = "", anchor = ""]) => ({
        page,
        target: file === "" ? page : join(dirname(page), file),
        anchor,
      })),
    );
    expect(links.length).toBeGreaterThan(10);
    expect(links.filter(({ target, anchor }) => !anchorsOf(read(target)).has(anchor))).toEqual([]);
  });
});

// --- internal ---

/** As the usual renderers of Markdown name headings. */
function anchorsOf(text: string): ReadonlySet<string> {
  return new Set(
    [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) =>
      heading
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N} _-]/gu, "")
        .replaceAll(" ", "-"),
    ),
  );
}
