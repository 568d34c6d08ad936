/**
 * Attacks on what lies behind the daemon's machine (SSRF), by fetch and by connect, from one table of targets. They run in a network where
 * every address leads to a canary: so each asserts the refusal and that nobody arrived, and the control, with every address allowed,
 * that the same call does arrive.
 */
import { beforeAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { needs, tempDir } from "../harness.ts";
import type { Outcome } from "./ssrf/attacks.ts";
import { CONNECTS, HOSTS, LOCATIONS, NAMES, REDIRECT_STATUSES, URLS, type Refusal } from "./ssrf/targets.ts";

const CODES: Readonly<Record<Refusal, string>> = {
  address: "capability.out_of_scope",
  spelling: "capability.invalid_params",
};

const outcomes = new Map<string, Outcome>();

function of(family: string, what: string): Outcome {
  const found = outcomes.get(`${family}: ${what}`);
  if (found === undefined) throw new Error(`nobody tried ${family}: ${what}`);
  return found;
}

/** The attack ended with `code`, and nobody arrived. */
function expectRefused(outcome: Outcome, code: string): void {
  expect(outcome.attack).toMatchObject({ said: code, arrivals: 0 });
}

function expectArrived({ control }: Outcome): void {
  expect(control).toMatchObject({ said: "inner secret", arrivals: 1 });
}

describe.skipIf(!needs("own network"))("what lies behind the machine", () => {
  beforeAll(async () => {
    await using folder = tempDir();
    const world = Bun.spawn(
      ["unshare", "--net", "--mount", process.execPath, join(import.meta.dir, "ssrf/world.ts"), folder.path],
      { stdout: "pipe", stderr: "pipe" },
    );
    const lines = (await new Response(world.stdout).text()).split("\n").filter(Boolean);
    expect(await new Response(world.stderr).text()).toBe("");
    for (const line of lines) {
      const outcome = JSON.parse(line) as Outcome;
      outcomes.set(`${outcome.family}: ${outcome.what}`, outcome);
    }
  }, 60_000);

  describe.each(HOSTS.map((target) => [JSON.stringify(target.host), target] as const))(
    "%s",
    (_name, target) => {
      const { host, fetch, connect, reaches } = target;
      test.each([
        ["fetch", fetch],
        ["fetch as it comes", fetch],
        ["connect", connect],
      ] as const)("is not reached by %s", (family, refusal) => {
        const outcome = of(family, host);
        expectRefused(outcome, CODES[refusal]);
        if (refusal === "spelling")
          expect(outcome.control).toMatchObject({ said: CODES.spelling, arrivals: 0 });
        else if (reaches) expectArrived(outcome);
        else expect(outcome.control?.arrivals).toBe(0);
      });
    },
  );

  test.each(URLS.map((row) => [JSON.stringify(row.url), row] as const))(
    "the URL %s leads nowhere",
    (_name, row) => {
      const { url, code, reaches } = row;
      const outcome = of("URL", url);
      expectRefused(outcome, code);
      if (reaches) expectArrived(outcome);
    },
  );

  test.each(CONNECTS.map((params) => [JSON.stringify(params)]))("connect with %s opens nothing", (params) => {
    const outcome = of("connect with", params);
    expectRefused(outcome, "capability.invalid_params");
    expect(outcome.control).toMatchObject({ said: "capability.invalid_params", arrivals: 0 });
  });

  describe.each(REDIRECT_STATUSES)("a redirect with %d", (status) => {
    test.each(LOCATIONS)("to %s is not followed", (location) => {
      const outcome = of("redirect", `${status} ${location}`);
      expectRefused(outcome, "capability.out_of_scope");
      expectArrived(outcome);
    });
  });

  describe.each(NAMES.filter(({ closed }) => closed))(
    "the name $name, which has inner addresses alone,",
    ({ name }) => {
      test.each(["fetch", "connect"])("is not reached by %s, and the address stays unsaid", (kind) => {
        const outcome = of("name", `${kind} ${name}`);
        expectRefused(outcome, "capability.out_of_scope");
        expect(outcome.attack.message).not.toMatch(/\d+\.\d+\.\d+\.\d+ is|::/);
        expectArrived(outcome);
      });
    },
  );

  test.each(["fetch", "connect"])("a name that changes its address gains nothing by %s", (kind) => {
    expect(of("rebinding", `${kind}, the first answer`).attack).toMatchObject({
      said: "public",
      arrivals: 0,
      questions: 1,
    });
    const second = of("rebinding", `${kind}, the second answer`);
    expectRefused(second, "capability.out_of_scope");
    expect(second.attack.questions).toBe(1);
    expectArrived(second);
  });

  test("a name that changes its address between two hops gains nothing", () => {
    const outcome = of("rebinding", "between two hops");
    expectRefused(outcome, "capability.out_of_scope");
    expect(outcome.attack.questions).toBe(2);
  });

  test("names that are never answered hold up nobody but who asked", () => {
    expectRefused(of("unanswered names", "hold nobody up"), "capability.out_of_scope");
  });

  test.each(["fetch mixed.test", "connect mixed.test", "fetch mixed6.test", "connect mixed6.test"])(
    "of mixed answers the inner ones are left out: %s",
    (what) => {
      const outcome = of("mixed answers", what);
      expectRefused(outcome, "network.failed");
      expectArrived(outcome);
    },
  );
});
