/** The documents say what the tables say. */
import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { apiReference, errorReference } from "../../scripts/docs/references.ts";
import { VARIABLES } from "../../src/daemon/config-environment.ts";
import { CAPABILITY_NAMES, HOOK_NAMES } from "../../src/sdk/index.ts";

const root = join(import.meta.dir, "../..");
const read = (path: string) => readFileSync(join(root, path), "utf8");

describe("documents", () => {
  test("docs/errors.md is made from the table (bun run docs)", () => {
    expect(read("docs/errors.md")).toBe(errorReference());
  });

  test("docs/api.md is made from the table (bun run docs)", () => {
    expect(read("docs/api.md")).toBe(apiReference());
  });

  test("docs/plugins.md names every hook and every capability", () => {
    const text = read("docs/plugins.md");
    expect([...HOOK_NAMES, ...CAPABILITY_NAMES].filter((name) => !text.includes(`\`${name}\``))).toEqual([]);
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
});
