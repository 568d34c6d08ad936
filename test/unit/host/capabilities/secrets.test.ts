import { describe, expect, test } from "bun:test";
import type { Caller } from "../../../../src/host/capabilities/method.ts";
import { secretMethods } from "../../../../src/host/capabilities/secrets.ts";
import { rejection } from "../../../fixtures/rejection.ts";
import { runMethod } from "../../../fixtures/run-method.ts";

function setUp(scope: readonly string[] | null) {
  const read: string[] = [];
  const methods = secretMethods({
    get(service, name) {
      read.push(`${service}/${name}`);
      return `value of ${name}`;
    },
    names: () => ["API_KEY", "PASSWORD", "TOKEN"],
  });
  const caller: Caller = {
    plugin: "vault",
    grants: new Map([["secrets_read", scope]]),
    requested: new Set(["secrets_read"]),
    optional: new Set(),
    withheld: new Set(),
  };
  const call = (name: string, params: object): Promise<unknown> => {
    const method = methods.find((each) => each.name === name);
    if (method === undefined) throw new Error(`no ${name}`);
    return runMethod(method, caller, params);
  };
  return {
    read,
    methods,
    get: (service: unknown, name: unknown) => call("secrets.get", { service, name }),
    list: (service: unknown) => call("secrets.list", { service }),
  };
}

const rows: readonly [scope: readonly string[] | null, service: string, names: readonly string[]][] = [
  [null, "web", ["API_KEY", "PASSWORD", "TOKEN"]],
  [["web/*"], "web", ["API_KEY", "PASSWORD", "TOKEN"]],
  [["web/*"], "api", []],
  [["web/*"], "web-2", []],
  [["TOKEN"], "api", ["TOKEN"]],
  [["web/TOKEN", "API_KEY"], "web", ["API_KEY", "TOKEN"]],
  [["web/TOKEN", "API_KEY"], "api", ["API_KEY"]],
  [["TOKE", "web/PASS", "*", "*/*", "web/", "/TOKEN", "web/TOKEN/x"], "web", []],
  [[], "web", []],
];

describe("a scope", () => {
  test.each(rows)("of %j opens of %s: %j", async (scope, service, names) => {
    const { get, list, read } = setUp(scope);
    expect(await list(service)).toEqual(names);
    for (const name of ["API_KEY", "PASSWORD", "TOKEN"]) {
      if (names.includes(name)) expect(await get(service, name)).toBe(`value of ${name}`);
      else expect(await rejection(get(service, name))).toMatchObject({ code: "capability.out_of_scope" });
    }
    // A refused call did not even look.
    expect(read).toEqual(names.map((name) => `${service}/${name}`));
  });

  test("refuses with the command that adds only that secret", async () => {
    expect(await rejection(setUp(["web/TOKEN"]).get("web", "PASSWORD"))).toMatchObject({
      message: "plugin vault: the secret web/PASSWORD is none of those that it may read (web/TOKEN)",
      hint: "to allow only that: voxeltron plugin grant vault secrets_read=web/TOKEN,web/PASSWORD",
    });
  });
});

test("what is no name of a service or of a variable is refused before anything is asked", async () => {
  const { get, list, read } = setUp(["web/*"]);
  for (const service of ["web/x", "web/../api", "*", "", "WEB", "a b", "x".repeat(64), 1, null])
    for (const name of ["TOKEN", "x/TOKEN"]) {
      expect(await rejection(get(service, name))).toHaveProperty("message", "invalid");
      expect(await rejection(list(service))).toHaveProperty("message", "invalid");
    }
  for (const name of ["*", "", "A/B", "1A", "A B", "A\0", "__proto__ ", "x".repeat(256), 1, {}])
    expect(await rejection(get("web", name))).toHaveProperty("message", "invalid");
  expect(read).toEqual([]);
});

test("the audit log names what was read", () => {
  const targets = setUp(null).methods.map(({ target }) =>
    target?.({ service: "web", name: "TOKEN" } as never),
  );
  expect(targets).toEqual(["web/TOKEN", "web"]);
});
