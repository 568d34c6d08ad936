/** Scopes as wholes, for each capability: what both reach, what one of them reaches, and what lies beyond the whole. */
import { describe, expect, test } from "bun:test";
import { below, intersection, union } from "../../../../src/host/capabilities/scope-sets.ts";
import { reaches, SCOPES, type Scope } from "../../../../src/host/capabilities/scopes.ts";
import { isScopeEntry, readScoped } from "../../../../src/host/scoped-capability.ts";
import { CAPABILITY_NAMES, type Capability } from "../../../../src/sdk/index.ts";

/** For each capability a wide entry, one that it covers, and one that it does not. */
const ENTRIES: Readonly<Record<Capability, readonly [wide: string, narrow: string, other: string]>> = {
  fs_read: ["files", "files/a/b", "backups"],
  fs_write: ["files/a", "files/a/b", "files/ab"],
  network_outbound: ["*.example.com", "api.example.com:443", "example.com"],
  docker_read: ["all", "web", "api"],
  docker_write: ["web", "web", "api"],
  secrets_read: ["web/*", "web/API_KEY", "api/API_KEY"],
  metrics_read: ["web", "web", "api"],
  logs_read: ["web", "web", "api"],
  notify_send: ["ops", "ops", "dev"],
};

describe.each(CAPABILITY_NAMES)("%s", (capability) => {
  const [wide, narrow, other] = ENTRIES[capability];

  test("has entries that are read, and words for what is none", () => {
    for (const entry of ENTRIES[capability])
      expect([entry, isScopeEntry(capability, entry)]).toEqual([entry, true]);
    for (const entry of [
      "",
      " ",
      "../x",
      "/etc/passwd",
      "a,b",
      `${narrow} `,
      `${narrow}\n`,
      `${narrow}\u202E`,
    ])
      expect([entry, isScopeEntry(capability, entry)]).toEqual([entry, false]);
    expect(readScoped(`${capability}=/`)).toEqual({
      wanted: `after ${capability}= ${SCOPES[capability].wanted}`,
    });
  });

  test("reaches what an entry covers, and nothing else", () => {
    expect(reaches(capability, [wide], narrow)).toBe(true);
    expect(reaches(capability, [narrow], other)).toBe(false);
    expect(reaches(capability, [], narrow)).toBe(false);
    expect(reaches(capability, null, narrow)).toBe(true);
  });

  test("intersects: the narrower of two, nothing where they have nothing in common, and the same either way", () => {
    const cases: readonly (readonly [Scope, Scope, Scope])[] = [
      [[wide], [narrow], [narrow]],
      [[narrow], [other], []],
      [null, [narrow], [narrow]],
      [null, null, null],
      [[], null, []],
    ];
    for (const [a, b, both] of cases) {
      expect(intersection(capability, a, b)).toEqual(both);
      expect(intersection(capability, b, a)).toEqual(both);
    }
  });

  test("unites: both, and the whole where one is the whole", () => {
    expect(union(capability, [narrow], [other])).toEqual([narrow, other]);
    expect(union(capability, null, [narrow])).toBeNull();
    expect(below(capability, [narrow], null)).toEqual([narrow]);
  });
});

test("docker_read: all containers are more than the whole, and are only reached by name", () => {
  expect(reaches("docker_read", null, "all")).toBe(false);
  expect(reaches("docker_read", ["web"], "all")).toBe(false);
  expect(intersection("docker_read", null, ["all"])).toBeNull();
  expect(union("docker_read", null, ["all"])).toEqual(["all"]);
  expect(below("docker_read", ["all"], null)).toEqual(["all"]);
  expect(below("docker_read", ["all"], ["web"])).toEqual(["web"]);
});

describe("two entries of which neither covers the other have in common", () => {
  const cases: readonly (readonly [Capability, string, string, readonly string[]])[] = [
    ["network_outbound", "*.example.com:443", "api.example.com", ["api.example.com:443"]],
    ["network_outbound", "*.example.com:443", "*.eu.example.com", ["*.eu.example.com:443"]],
    ["network_outbound", "[2001:db8::1]:443", "[2001:db8::1]", ["[2001:db8::1]:443"]],
    ["network_outbound", "*.example.com:443", "api.example.com:80", []],
    ["network_outbound", "*.example.com:443", "example.com", []],
    ["network_outbound", "*.example.com:443", "evilexample.com", []],
    ["secrets_read", "API_KEY", "web/*", ["web/API_KEY"]],
    ["secrets_read", "API_KEY", "web/OTHER", []],
    ["secrets_read", "api/*", "web/*", []],
    ["fs_read", "files/a", "files/b", []],
  ];
  test.each(cases)("%s: %s and %s", (capability, a, b, common) => {
    expect(intersection(capability, [a], [b])).toEqual(common);
    expect(intersection(capability, [b], [a])).toEqual(common);
    for (const entry of common) {
      expect(isScopeEntry(capability, entry)).toBe(true);
      expect([a, b].every((each) => reaches(capability, [each], entry))).toBe(true);
    }
  });
});
