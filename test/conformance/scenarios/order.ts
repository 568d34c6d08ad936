/** Many events: one at a time, in order, each with its own answer. */
import type { Scenario, Step } from "../scenario.ts";

function numbered(count: number, step: (index: number) => Step): Step[] {
  return Array.from({ length: count }, (_, index) => step(index));
}

export const order: readonly Scenario[] = [
  {
    name: "answers a hundred events in order",
    steps: numbered(100, (index) => ({ program: `say ${index}`, expect: { answer: `${index}` } })),
    newGuests: 0,
  },
  {
    name: "gets events that come at once one after the other",
    together: true,
    fresh: true,
    steps: numbered(50, (index) => ({
      program: `log info ${index}\ncount`,
      expect: { answer: [null, index + 1] },
    })),
    lines: Array.from({ length: 50 }, (_, index) => ({ level: "info", text: `${index}` })),
  },
  {
    name: "has each event's calls answered in that event",
    together: true,
    steps: numbered(20, (index) => ({
      program: `call kv.set {"key":"k","value":${index}}\ncall kv.get {"key":"k"}`,
      expect: { answer: [{ result: null }, { result: index }] },
    })),
  },
  {
    name: "fails at one event, and the others are not touched",
    together: true,
    steps: numbered(9, (index) =>
      index === 4
        ? { program: "throw this one", expect: { error: { code: "plugin.failed" as const } } }
        : { program: `say ${index}`, expect: { answer: `${index}` } },
    ),
    newGuests: 0,
  },
  {
    name: "is stopped at one event, and the others find a new guest",
    together: true,
    steps: numbered(5, (index) =>
      index === 2
        ? { program: "loop", expect: { error: { code: "plugin.timeout" as const } } }
        : { program: `say ${index}`, expect: { answer: `${index}` } },
    ).map((step) => ({ ...step, deadlineMs: 300 })),
    newGuests: 1,
  },
  {
    name: "asks for two things at once and gets each its answer",
    steps: [
      {
        program: 'both kv.set {"key":"a","value":1} ; kv.get {"key":"a"} ; kv.list {}',
        expect: { answer: [{ result: null }, { result: 1 }, { result: ["a"] }] },
      },
    ],
    otherwise: [{ rooms: ["wasm"], why: "A module waits for each answer before it can ask again." }],
  },
];
