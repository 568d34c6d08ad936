/** docs/wasm.md says what the tables say: the broker's methods, Extism's functions, the bounds. */
import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { LIMITS } from "../../../../../src/base/limits.ts";
import { formatBytes } from "../../../../../src/base/text.ts";
import { makeCatalogue } from "../../../../../src/host/capabilities/catalogue.ts";
import { makeExtismMemory } from "../../../../../src/host/runtimes/wasm/extism-memory.ts";
import { makeGuestHost } from "../../../../../src/host/runtimes/wasm/guest-host.ts";
import { importName } from "../../../../../src/host/runtimes/wasm/host-methods.ts";
import { signatureText } from "../../../../../src/host/runtimes/wasm/module-shape.ts";
import { recordPowers } from "../../../../matrix/powers.ts";

const PAGE = await Bun.file(join(import.meta.dir, "../../../../../docs/wasm.md")).text();
const METHODS = makeCatalogue(recordPowers().powers);

/** The cells of the first table under a heading, without its head. */
function table(heading: string): string[][] {
  const part = PAGE.split(`\n## ${heading}\n`)[1]?.split("\n## ")[0] ?? "";
  const rows = part.split("\n").filter((line) => line.startsWith("|"));
  return rows.slice(2).map((row) =>
    row
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

function keysOf(schema: object): readonly string[] {
  return Object.keys((schema as { readonly entries?: object }).entries ?? {});
}

describe("docs/wasm.md", () => {
  test("has a row for each method of the broker, with what it needs and takes", () => {
    const rows = table("Host functions");
    expect(rows.map(([name, needs]) => [name, needs])).toEqual(
      METHODS.map(({ name, anyOf }) => [
        `\`${importName(name)}\``,
        anyOf.length === 0 ? "–" : anyOf.map((capability) => `\`${capability}\``).join(" or "),
      ]),
    );
    for (const [i, { args, params }] of METHODS.entries())
      for (const arg of args === "object" ? keysOf(params) : args) expect(rows[i]?.[2]).toContain(`"${arg}"`);
  });

  test("has a row for each of Extism's functions, with its type", () => {
    const { offers } = makeGuestHost({
      plugin: { name: "sample", version: "1.0.0" },
      config: {},
      methods: METHODS.map(({ name, args, surface, anyOf }) => ({
        name,
        args,
        surface,
        needs: anyOf,
        asked: anyOf,
        linked: true,
      })),
      callHost() {},
      log() {},
      memory: makeExtismMemory(),
    });
    const there = Object.entries(offers["extism:host/env"] ?? {});
    expect(
      table("Extism's own functions")
        .map(([name, type]) => `${name} ${type}`)
        .toSorted(),
    ).toEqual(there.map(([name, { type }]) => `\`${name}\` ${signatureText(type)}`).toSorted());
  });

  test("has the bounds", () => {
    const text = table("Limits").flat().join("\n");
    for (const bound of [
      formatBytes(LIMITS.bundleBytes),
      formatBytes(LIMITS.guestMemoryPages * 65_536),
      formatBytes(LIMITS.extismBytes),
      formatBytes(LIMITS.messageBytes),
      ...[LIMITS.wasmFunctions, LIMITS.wasmImports, LIMITS.wasmExports, LIMITS.wasmTableElements].map((n) =>
        n.toLocaleString("en"),
      ),
      LIMITS.extismBlocks.toLocaleString("en"),
      LIMITS.messageValues.toLocaleString("en"),
      `${LIMITS.messageDepth} levels`,
      `${LIMITS.wasmTables}, of`,
      `${LIMITS.hookDefaultMs / 1000} s`,
    ])
      expect(text).toContain(bound);
  });
});
