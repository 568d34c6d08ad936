/** Which of Node's and Bun's modules a plugin may import: each one that there is has been thought of, and those allowed reach nothing. */
import { describe, expect, test } from "bun:test";
import { builtinModules } from "node:module";
import { adviceOn, judgeBuiltin, PURE_BUILTINS } from "../../../../src/host/bundle/pure-builtins.ts";

const verdict = (specifier: string) => {
  const found = judgeBuiltin(specifier);
  if (found === undefined) return "none";
  return "builtin" in found ? found.builtin : "refused";
};

describe("judgeBuiltin", () => {
  test.each([
    ["node:crypto", "node:crypto"],
    ["crypto", "node:crypto"],
    ["util/types", "node:util/types"],
    ["node:fs", "refused"],
    ["fs", "refused"],
    ["fs/promises", "refused"],
    ["fs/anything", "refused"],
    ["node:", "refused"],
    ["node:left-pad", "refused"],
    ["node:node:crypto", "refused"],
    ["node:crypto/", "refused"],
    ["node:crypto\n", "refused"],
    ["bun:crypto", "refused"],
    ["bun", "refused"],
    ["bun:ffi", "refused"],
    ["ws", "refused"],
    ["toString", "none"],
    ["left-pad", "none"],
    ["", "none"],
  ])("%j: %s", (specifier, expected) => {
    expect(verdict(specifier)).toBe(expected);
  });

  /** Names that are there with a prefix only, as Bun's own list leaves them out. */
  const PREFIXED = ["node:test", "node:sqlite", "node:quic", "bun:main", "bun:wrap"];

  test.each([...builtinModules, ...PREFIXED])("%s is allowed, or refused with words of its own", (name) => {
    const bare = name.replace(/^(?:node|bun):/, "");
    const [root = ""] = bare.split("/");
    if (PURE_BUILTINS.includes(`node:${bare}`)) expect(adviceOn(root)).toBeUndefined();
    else expect(judgeBuiltin(name)).toEqual({ refused: adviceOn(root) ?? "no words" });
  });

  test("the list is in order, and all that is on it is there", () => {
    expect(PURE_BUILTINS).toEqual(PURE_BUILTINS.toSorted());
    expect(PURE_BUILTINS.filter((name) => !builtinModules.includes(name.slice(5)))).toEqual([]);
  });
});

/** What a module that reaches files, sockets, programs or other code exports, by the names that Node and Bun give it. */
const POWERS =
  /^(?:open|read|write|append|copy|unlink|rm|mkdir|stat|watch)(?:File|dir)?(?:Sync)?$|^create(?:Server|Connection|Socket|Require)$|^(?:spawn|exec|fork|connect|listen|dlopen|lookup|resolve4|Worker|Script|Session|runInContext|request)(?:Sync)?$/;

test.each(PURE_BUILTINS.map((name) => [name]))("%s exports nothing by the name of a power", async (name) => {
  const exported = Object.keys((await import(name)) as object);
  expect(exported.length).toBeGreaterThan(0);
  expect(exported.filter((key) => POWERS.test(key))).toEqual([]);
});

test.each([
  ["node:fs"],
  ["node:net"],
  ["node:child_process"],
  ["node:worker_threads"],
  ["node:module"],
  ["node:vm"],
])("%s does, so that the look at names can tell", async (name) => {
  const exported = Object.keys((await import(name)) as object);
  expect(exported.some((key) => POWERS.test(key))).toBe(true);
});
