import { describe, expect, test } from "bun:test";
import type { CandidateView, PluginDetails } from "../../../src/api/operations.ts";
import { isYes, obtainConsent, transcript } from "../../../src/cli/consent.ts";
import { parseGrant, parseGrants } from "../../../src/cli/grants.ts";
import { candidate as plain } from "../../fixtures/candidate.ts";
import { fakeIo } from "./fake-io.ts";

const rich: CandidateView = {
  ...plain,
  version: "2.0.0",
  replaces: "1.0.0",
  required: [
    { capability: "notify_send", risk: "Medium", scope: ["slack", "ops"], reason: "tells the team" },
    { capability: "docker_write", risk: "High" },
  ],
  optional: [{ capability: "network_outbound", risk: "Medium", reason: "looks up names" }],
  hooks: [{ hook: "on_deploy_start", gate: true }],
};

const installed = {
  granted: [{ capability: "notify_send" }, { capability: "logs_read" }],
} as unknown as PluginDetails; // only what the transcript reads

const nothing = { yes: false, grants: [], quiet: false };

describe("the transcript", () => {
  test("is the documented block where the manifest has no more to say", () => {
    expect(transcript(plain, undefined)).toBe(
      "Plugin: deploy-notifier v1.0.0\n" +
        "Requires capabilities:\n" +
        "  • notify_send (Medium risk)\n" +
        "  • logs_read (Low risk)\n",
    );
  });

  test("shows scope, reason, gate, what is optional, what is new and what is gone, each on a line of its own", () => {
    expect(transcript(rich, installed)).toBe(
      "Plugin: deploy-notifier v2.0.0\n" +
        "  replaces v1.0.0\n" +
        "Requires capabilities:\n" +
        "  • notify_send (Medium risk)\n" +
        "  • docker_write (High risk), new in this version\n" +
        "  notify_send is limited to: slack, ops\n" +
        "  notify_send, reason given: tells the team\n" +
        "  on_deploy_start is a gate: this plugin can stop the operation\n" +
        "  optional, not granted now: network_outbound (Medium risk)\n" +
        "  network_outbound, reason given: looks up names\n" +
        "  no longer asked for: logs_read\n",
    );
  });

  test("a plugin that asks for nothing says so", () => {
    expect(transcript({ ...plain, required: [] }, undefined)).toBe(
      "Plugin: deploy-notifier v1.0.0\nRequires no capabilities.\n",
    );
  });

  test("a manifest can neither move the cursor, nor start a line, nor go on for ever", () => {
    const evil = "\u001B[1A\u001B[2Kno risk\r\n  • fs_read (Low risk)\u202E\u200B";
    const text = transcript(
      {
        ...plain,
        name: evil,
        version: evil,
        required: [{ capability: evil, risk: evil, scope: [evil], reason: "x".repeat(5000) }],
        optional: [{ capability: evil, risk: evil, reason: evil }],
        hooks: [{ hook: evil, gate: true }],
        replaces: evil,
      },
      undefined,
    );
    expect(text.replaceAll("\n", "")).not.toMatch(/[\p{Cc}\p{Cf}]/u);
    expect(text.split("\n").filter((line) => line.startsWith("  • "))).toHaveLength(1);
    for (const line of text.split("\n")) expect(line.length).toBeLessThan(700);
  });
});

describe("consent", () => {
  test("y grants what is required with its scope, and nothing optional", async () => {
    const io = fakeIo({ terminal: true, answers: ["y"] });
    expect(await obtainConsent(io, rich, installed, nothing)).toEqual([
      { capability: "notify_send", scope: ["slack", "ops"] },
      { capability: "docker_write" },
    ]);
    expect(io.questions).toEqual(["\nGrant these capabilities? [y/N]: "]);
  });

  for (const answer of ["", "n", "no", "yep", "y y", undefined])
    test(`${JSON.stringify(answer)} is a refusal`, async () => {
      const io = fakeIo({ terminal: true, answers: [answer] });
      expect(await failureOf(obtainConsent(io, plain, undefined, nothing))).toMatchObject({
        code: "consent.refused",
      });
    });

  test("nobody to ask is a refusal with the flags that would help", async () => {
    const io = fakeIo();
    expect(await failureOf(obtainConsent(io, plain, undefined, nothing))).toMatchObject({
      code: "consent.needed",
      kind: "denied",
      hint: "pass --yes, or for exactly these: --grant notify_send --grant logs_read",
    });
    expect(io.questions).toEqual([]);
  });

  test("a plugin that asks for nothing needs nobody", async () => {
    const io = fakeIo();
    expect(await obtainConsent(io, { ...plain, required: [] }, undefined, nothing)).toEqual([]);
    expect(io.questions).toEqual([]);
  });

  test("a capability that this program does not know is never granted", async () => {
    const candidate = { ...plain, required: [{ capability: "root", risk: "Low" }] };
    expect(
      await failureOf(obtainConsent(fakeIo(), candidate, undefined, { ...nothing, yes: true })),
    ).toMatchObject({ code: "plugin.unsupported" });
  });

  test("only y and yes are yes", () => {
    expect(["y", "Y", "yes", " YES "].every(isYes)).toBe(true);
    expect(["", "n", "ye", "yes!", "ｙ", undefined].some(isYes)).toBe(false);
  });
});

describe("--grant", () => {
  test("takes a capability, with or without a scope", () => {
    expect(parseGrant("logs_read")).toEqual({ capability: "logs_read" });
    expect(parseGrant("network_outbound=a.test:443, b.test")).toEqual({
      capability: "network_outbound",
      scope: ["a.test:443", "b.test"],
    });
    expect(parseGrant("secrets_read=A=B")).toEqual({ capability: "secrets_read", scope: ["A=B"] });
  });

  for (const [text, code] of [
    ["log_read", "grant.unknown"],
    ["", "grant.unknown"],
    ["__proto__", "grant.unknown"],
    ["logs_read=", "usage.invalid"],
    ["logs_read=a,,b", "usage.invalid"],
  ] as const)
    test(`refuses ${JSON.stringify(text)} as ${code}`, () => {
      expect(() => parseGrant(text)).toThrow(expect.objectContaining({ code }));
    });

  test("says which capability was meant, and refuses one that is named twice without a scope", () => {
    expect(() => parseGrant("log_read")).toThrow(
      expect.objectContaining({ hint: "did you mean logs_read?" }),
    );
    expect(() => parseGrants(["logs_read", "logs_read=a"])).toThrow("logs_read is granted twice");
    expect(() => parseGrants(["logs_read", "logs_read"])).toThrow("logs_read is granted twice");
  });

  test("takes one that is named twice with scopes as both", () => {
    expect(parseGrants(["logs_read=a,b", "notify_send", "logs_read=b,c"])).toEqual([
      { capability: "logs_read", scope: ["a", "b", "c"] },
      { capability: "notify_send" },
    ]);
  });
});

/** What `work` throws. */
function failureOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => "no failure",
    (error: unknown) => error,
  );
}
