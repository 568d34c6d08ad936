/** Effective right = requested ∩ granted ∩ ceiling. */
import { describe, expect, test } from "bun:test";
import { effectiveGrants, newWishes, settleGrant, settleGrants } from "../../../src/host/grant-rules.ts";
import type { CapabilityRequest, Manifest } from "../../../src/host/manifest/manifest.ts";
import { makeCeiling, NO_CEILING } from "../../../src/host/ceiling.ts";
import type { ScopedCapability } from "../../../src/host/scoped-capability.ts";
import type { Capability } from "../../../src/sdk/index.ts";
import type { GrantRow } from "../../../src/state/grants.ts";

const asks = (capability: Capability, scope: readonly string[] | null = null): CapabilityRequest => ({
  capability,
  scope,
  reason: undefined,
});

const manifest = (
  required: readonly CapabilityRequest[],
  optional: readonly CapabilityRequest[] = [],
): Manifest => ({
  name: "sample",
  version: "1.0.0",
  description: "",
  tier: 2,
  main: undefined,
  required,
  optional,
  hooks: [],
  provider: undefined,
  isolation: undefined,
  timeoutMs: 1,
  config: {},
});

function codeOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    return (error as { code: string }).code;
  }
  return "ok";
}

describe("settling consent", () => {
  const wanted = manifest([asks("notify_send"), asks("logs_read", ["web", "api"])], [asks("fs_read")]);

  test("takes what is required and leaves what is optional alone", () => {
    expect(settleGrants(wanted, [{ capability: "notify_send" }, { capability: "logs_read" }])).toEqual([
      { capability: "notify_send", scope: null },
      { capability: "logs_read", scope: ["web", "api"] },
    ]);
  });

  test("refuses to leave out what is required, and says how not to", () => {
    try {
      settleGrants(wanted, [{ capability: "logs_read" }]);
      expect.unreachable();
    } catch (error) {
      expect(error).toMatchObject({
        code: "grant.required_missing",
        details: { missing: ["notify_send"] },
        hint: "grant what it requires: --grant notify_send --grant logs_read",
      });
    }
  });

  test("refuses what is not asked for", () => {
    expect(codeOf(() => settleGrant(wanted, { capability: "docker_write" }))).toBe("grant.unknown");
    expect(codeOf(() => settleGrant(manifest([]), { capability: "docker_write" }))).toBe("grant.unknown");
  });

  test("narrows, and never widens", () => {
    expect(settleGrant(wanted, { capability: "logs_read", scope: ["web"] }).scope).toEqual(["web"]);
    expect(settleGrant(wanted, { capability: "logs_read", scope: [] }).scope).toEqual([]);
    expect(settleGrant(wanted, { capability: "notify_send", scope: ["ops"] }).scope).toEqual(["ops"]);
    expect(codeOf(() => settleGrant(wanted, { capability: "logs_read", scope: ["web", "db"] }))).toBe(
      "grant.unknown",
    );
  });

  test("takes the same capability twice as both", () => {
    const grants = settleGrants(manifest([asks("logs_read")]), [
      { capability: "logs_read", scope: ["a"] },
      { capability: "logs_read", scope: ["b", "a"] },
    ]);
    expect(grants).toEqual([{ capability: "logs_read", scope: ["a", "b"] }]);
  });

  const hosts: readonly (readonly [asked: string, granted: string, ok: boolean])[] = [
    ["hooks.slack.com", "hooks.slack.com", true],
    ["hooks.slack.com", "hooks.slack.com:443", true],
    ["hooks.slack.com:443", "hooks.slack.com", false],
    ["hooks.slack.com:443", "hooks.slack.com:80", false],
    ["*.slack.com", "hooks.slack.com", true],
    ["*.slack.com", "*.eu.slack.com:443", true],
    ["*.slack.com", "slack.com", false],
    ["hooks.slack.com", "*.slack.com", false],
    ["*.slack.com", "evilslack.com", false],
    ["hooks.slack.com", "http://hooks.slack.com/", false],
  ];
  for (const [asked, granted, ok] of hosts)
    test(`${granted} is ${ok ? "" : "not "}within ${asked}`, () => {
      const request = { capability: "network_outbound", scope: [granted] } as const;
      const wanted = manifest([asks("network_outbound", [asked])]);
      expect(codeOf(() => settleGrant(wanted, request))).toBe(ok ? "ok" : "grant.unknown");
    });
});

describe("docker_read of all containers", () => {
  const all = { capability: "docker_read", scope: ["all"] } as const;

  test("is granted where the manifest names it, be it by the capability's name alone", () => {
    const wanted = manifest([asks("docker_read", ["all"])]);
    expect(settleGrant(wanted, all).scope).toEqual(["all"]);
    expect(settleGrant(wanted, { capability: "docker_read" }).scope).toEqual(["all"]);
    expect(settleGrant(wanted, { capability: "docker_read", scope: ["web"] }).scope).toEqual(["web"]);
  });

  test("is a widening where the manifest asks for the whole capability: that is voxeltron's own containers", () => {
    const wanted = manifest([asks("docker_read")]);
    expect(codeOf(() => settleGrant(wanted, all))).toBe("grant.unknown");
    expect(settleGrant(wanted, { capability: "docker_read", scope: ["web"] }).scope).toEqual(["web"]);
  });
});

describe("what a guest may use", () => {
  const granted = (capability: string, scope: readonly string[] | null): GrantRow => ({
    capability,
    scope,
    grantedBy: "t",
    grantedAt: "",
  });
  type Scope = readonly string[] | null;
  const cases: readonly (readonly [asked: Scope, granted: Scope, effective: Scope])[] = [
    [null, null, null],
    [null, ["a"], ["a"]],
    [["a"], null, ["a"]],
    [["a", "b"], ["b", "c"], ["b"]],
    [["a"], ["b"], []],
    [["a"], [], []],
    [[], null, []],
  ];
  test("docker_read is never of all containers but by name, on both sides", () => {
    const effective = (asked: Scope, given: Scope) => [
      ...effectiveGrants(
        manifest([asks("docker_read", asked)]),
        [granted("docker_read", given)],
        NO_CEILING,
      ).values(),
    ];
    expect(effective(["all"], ["all"])).toEqual([["all"]]);
    expect(effective(null, ["all"])).toEqual([null]);
    expect(effective(["all"], null)).toEqual([null]);
    expect(effective(["all"], ["web"])).toEqual([["web"]]);
    expect(effective(null, null)).toEqual([null]);
  });

  for (const [asked, given, effective] of cases)
    test(`asked ${JSON.stringify(asked)}, granted ${JSON.stringify(given)}: ${JSON.stringify(effective)}`, () => {
      const grants = effectiveGrants(
        manifest([asks("logs_read", asked)]),
        [granted("logs_read", given)],
        NO_CEILING,
      );
      expect([...grants]).toEqual([["logs_read", effective]]);
    });

  test("is nothing that is not granted, not asked for or above the ceiling", () => {
    const wanted = manifest([asks("logs_read"), asks("notify_send")], [asks("fs_read")]);
    const grants = [granted("logs_read", null), granted("fs_read", null), granted("docker_write", null)];
    const below = (...entries: readonly ScopedCapability[]) => [makeCeiling(entries, "x")];
    const some = below({ capability: "logs_read", scope: null }, { capability: "docker_write", scope: null });
    expect([...effectiveGrants(wanted, grants, some).keys()]).toEqual(["logs_read"]);
    expect(effectiveGrants(wanted, grants, below()).size).toBe(0);
    const narrow = below({ capability: "logs_read", scope: ["web"] });
    expect([...effectiveGrants(wanted, grants, narrow)]).toEqual([["logs_read", ["web"]]]);
    expect([...effectiveGrants(wanted, grants, [...some, ...narrow])]).toEqual([["logs_read", ["web"]]]);
  });
});

describe("what a next version asks for otherwise", () => {
  const before = manifest([asks("notify_send", ["ops", "dev"])], [asks("logs_read")]);
  const gate = (value: boolean) => [{ hook: "on_deploy_start" as const, gate: value }];

  test("is nothing where only order, reasons, versions and hooks that can refuse nothing differ", () => {
    const next: Manifest = {
      ...manifest([{ ...asks("notify_send", ["dev", "ops"]), reason: "because" }], [asks("logs_read")]),
      version: "2.0.0",
      hooks: gate(false),
      isolation: "process",
      timeoutMs: 5,
      config: { a: 1 },
    };
    expect(newWishes(before, next)).toEqual([]);
  });

  const others: readonly (readonly [string, Manifest])[] = [
    ["it asks for fs_read", manifest([...before.required, asks("fs_read")], before.optional)],
    ["it asks for fs_read", manifest(before.required, [...before.optional, asks("fs_read")])],
    ["it asks for notify_send for other targets", manifest([asks("notify_send")], before.optional)],
    ["it asks for notify_send for other targets", manifest([asks("notify_send", ["ops"])], before.optional)],
    [
      "it asks for notify_send for other targets",
      manifest([asks("notify_send", ["ops", "all"])], before.optional),
    ],
    ["it asks for logs_read for other targets", manifest(before.required, [asks("logs_read", [])])],
    ["it requires logs_read", manifest([...before.required, asks("logs_read")])],
    ["it no longer requires notify_send", manifest([], [...before.required, ...before.optional])],
    ["it no longer asks for logs_read", manifest(before.required)],
    ["it wants to be a gate of on_deploy_start", { ...before, hooks: gate(true) }],
  ];
  for (const [words, next] of others)
    test(words, () => {
      expect(newWishes(before, next)).toEqual([words]);
    });

  test("is also that it is a gate no more", () => {
    expect(newWishes({ ...before, hooks: gate(true) }, before)).toEqual([
      "it is no gate of on_deploy_start any more",
    ]);
  });
});

test("a scope has so many entries as can be compared at each look, and no more", () => {
  const wanted = manifest([asks("logs_read")]);
  const scope = (count: number) => Array.from({ length: count }, (_, index) => `service-${index}`);
  expect(codeOf(() => settleGrant(wanted, { capability: "logs_read", scope: scope(100) }))).toBe("ok");
  expect(codeOf(() => settleGrant(wanted, { capability: "logs_read", scope: scope(101) }))).toBe(
    "grant.unknown",
  );
});
