/** For each capability: requested, granted, effective, and the words for why that is less. */
import { describe, expect, test } from "bun:test";
import type { Scope } from "../../../src/host/capabilities/scopes.ts";
import { makeCeiling, NO_CEILING, type Ceilings } from "../../../src/host/ceiling.ts";
import type { CapabilityRequest } from "../../../src/host/manifest/manifest.ts";
import { standings } from "../../../src/host/standing.ts";
import type { Capability } from "../../../src/sdk/index.ts";

const at = "2026-01-01T00:00:00.000Z";

function standing(asked: Scope, granted: Scope | undefined, ceilings: Ceilings = NO_CEILING) {
  const request: CapabilityRequest = { capability: "logs_read", scope: asked, reason: "why\u001B[1m" };
  const grants =
    granted === undefined
      ? []
      : [{ capability: "logs_read", scope: granted, grantedBy: "me", grantedAt: at }];
  const [view] = standings({ required: [request], optional: [] }, grants, ceilings, () => undefined);
  return view!;
}

const ceiling = (scope: Scope | undefined, key = "[plugins] ceiling") =>
  makeCeiling(scope === undefined ? [] : [{ capability: "logs_read", scope }], key);

describe("a capability", () => {
  test("that was granted as it was requested has nothing to explain", () => {
    expect(standing(["web"], ["web"])).toEqual({
      capability: "logs_read",
      risk: "Low",
      required: true,
      reason: "why[1m",
      requested: { scope: ["web"] },
      granted: { scope: ["web"], at, by: "me" },
      effective: { scope: ["web"] },
      why: null,
      lastUsedAt: null,
    });
  });

  const cases: readonly (readonly [string, ReturnType<typeof standing>, Scope | undefined, string | null])[] =
    [
      ["not granted", standing(null, undefined), undefined, "not granted"],
      ["granted for less", standing(null, ["web"]), ["web"], "granted for web"],
      ["granted for nothing", standing(null, []), [], "granted for nothing"],
      ["granted for the rest of it", standing(["a", "b"], ["b"]), ["b"], "granted for b"],
      [
        "above the ceiling",
        standing(null, null, [ceiling(undefined)]),
        undefined,
        "[plugins] ceiling leaves it out",
      ],
      [
        "below a ceiling that limits it",
        standing(null, null, [ceiling(["web"])]),
        ["web"],
        "[plugins] ceiling allows web",
      ],
      ["below a ceiling without a limit", standing(["web"], null, [ceiling(null)]), ["web"], null],
      [
        "neither granted nor below the ceilings",
        standing(null, undefined, [ceiling(["web"]), ceiling(undefined, "a in [plugins.ceilings]")]),
        undefined,
        "not granted; [plugins] ceiling allows web; a in [plugins.ceilings] leaves it out",
      ],
      [
        "with nothing left between grant and ceiling",
        standing(null, ["api"], [ceiling(["web"])]),
        [],
        "granted for api; [plugins] ceiling allows nothing",
      ],
    ];
  test.each(cases)("%s", (_what, { effective, why }, scope, words) => {
    expect(effective).toEqual(scope === undefined ? null : { scope: scope === null ? null : [...scope] });
    expect(why).toBe(words);
  });
});

test("required ones come first, each with its last use", () => {
  const request = (capability: Capability): CapabilityRequest => ({
    capability,
    scope: null,
    reason: undefined,
  });
  const views = standings(
    { required: [request("notify_send")], optional: [request("fs_read")] },
    [],
    NO_CEILING,
    (capability) => (capability === "fs_read" ? at : undefined),
  );
  expect(views.map(({ capability, required, lastUsedAt }) => [capability, required, lastUsedAt])).toEqual([
    ["notify_send", true, null],
    ["fs_read", false, at],
  ]);
});
