/** Makes tests of scenarios: runs each in a column, and compares what was seen with what it says. Called by the test files beside it. */
import { afterAll, describe, expect, test } from "bun:test";
import type { Column } from "./rooms.ts";
import { makeStage, type Outcome } from "./run.ts";
import type { Expectation, Otherwise, RoomTag, Scenario } from "./scenario.ts";

export function play(column: Column, scenarios: readonly Scenario[]): void {
  const { name, tags, code } = column;
  describe.skipIf(code === undefined)(name, () => {
    if (code === undefined) return;
    const stage = makeStage({ ...column, code });
    afterAll(() => stage.close());
    for (const scenario of scenarios.filter((each) => isRun(each, tags))) {
      test(scenario.name, async () => {
        const expected = expectedIn(scenario, tags);
        const { outcomes, door, newGuests } = await stage.run(scenario);
        for (const [index, wanted] of expected.steps.entries()) compare(outcomes[index], wanted);
        if (expected.calls !== undefined) expect(door.calls).toEqual([...expected.calls]);
        if (expected.lines !== undefined) expect(door.lines).toEqual([...expected.lines]);
        if (expected.newGuests !== undefined) expect(newGuests).toBe(expected.newGuests);
        expect(door.waiting.filter((signal) => !signal.aborted)).toEqual([]);
      });
    }
  });
}

// --- internal ---

interface Expected extends Pick<Scenario, "calls" | "lines" | "newGuests"> {
  readonly steps: readonly Expectation[];
}

function othersOf(scenario: Scenario, tags: ReadonlySet<RoomTag>): readonly Otherwise[] {
  return (scenario.otherwise ?? []).filter(({ rooms }) => rooms.some((tag) => tags.has(tag)));
}

function isRun(scenario: Scenario, tags: ReadonlySet<RoomTag>): boolean {
  return othersOf(scenario, tags).every(({ expect }) => expect !== undefined);
}

function expectedIn(scenario: Scenario, tags: ReadonlySet<RoomTag>): Expected {
  const usual = { ...scenario, steps: scenario.steps.map((step) => step.expect) };
  return othersOf(scenario, tags).reduce<Expected>((so, { expect }) => ({ ...so, ...expect }), usual);
}

function compare(outcome: Outcome | undefined, wanted: Expectation): void {
  if (outcome === undefined) throw new Error("a step was not performed");
  if ("error" in wanted) {
    const { code, message, details } =
      "error" in outcome ? outcome.error : { code: "no error", message: shown(outcome), details: {} };
    expect([code, message]).toEqual([wanted.error.code, expect.stringMatching(wanted.error.message ?? /./)]);
    if (wanted.error.details !== undefined) expect(details).toMatchObject({ ...wanted.error.details });
    return;
  }
  if ("error" in outcome) throw new Error(`${outcome.error.code}: ${outcome.error.message}`);
  if ("answer" in wanted) expect(outcome.answer).toEqual(wanted.answer);
  else expect([typeof outcome.answer, String(outcome.answer).length]).toEqual(["string", wanted.characters]);
}

function shown(outcome: Outcome): string {
  return (JSON.stringify(outcome) ?? "nothing").slice(0, 200);
}
