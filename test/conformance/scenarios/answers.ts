/** Events in, answers out. */
import { eventOf } from "../program.ts";
import type { Scenario } from "../scenario.ts";

const NESTED = {
  nothing: null,
  yes: true,
  numbers: [0, 1, -1, 0.1, 1e-7, 123456789012, 1.7976931348623157e308, 5e-324],
  list: [[], {}, [[["deep"]]], "text"],
  "a key with spaces": { "": "an empty key", "1": "a number as key" },
};

/** Each comes back as it is. */
const JSON_ANSWERS: readonly (readonly [what: string, json: string])[] = [
  ["null", "null"],
  ["true", "true"],
  ["false", "false"],
  ["nought", "0"],
  ["a whole number", "-42"],
  ["a fraction", "3.25"],
  ["a number with an exponent", "1.5e+300"],
  ["a number beyond what a double holds exactly", "9007199254740993"],
  ["an empty text", '""'],
  ["a text", '"ready"'],
  ["an empty list", "[]"],
  ["an empty object", "{}"],
  ["a list of everything", '[null,true,1,"a",[],{}]'],
  ["an object in an object", '{"a":{"b":{"c":[1,{"d":null}]}}}'],
];

export const answers: readonly Scenario[] = [
  {
    name: "gets its event and answers with it",
    steps: [{ program: "echo", payload: NESTED, expect: { answer: eventOf("on_alert", "echo", NESTED) } }],
  },
  ...JSON_ANSWERS.map(([what, json]): Scenario => ({
    name: `answers with ${what}`,
    steps: [{ program: `raw ${json}`, expect: { answer: JSON.parse(json) as unknown } }],
  })),
  {
    name: "answers with nothing, which is null",
    steps: [{ program: "nothing", expect: { answer: null } }],
  },
  {
    name: "answers with a list, one for each line of its program",
    steps: [
      {
        program: 'raw 1\nnothing\nsay two\nraw {"three":3}',
        expect: { answer: [1, null, "two", { three: 3 }] },
      },
    ],
  },
  {
    name: "is called under the hook's name",
    steps: [
      { program: "hook", expect: { answer: "on_alert" } },
      { program: "hook", hook: "on_deploy_success", expect: { answer: "on_deploy_success" } },
      { program: "hook", expect: { answer: "on_alert" } },
    ],
  },
  {
    name: "keeps what it knows from call to call",
    fresh: true,
    steps: [1, 2, 3].map((answer) => ({ program: "count", expect: { answer } })),
  },
  {
    name: "can't smuggle a prototype out",
    steps: [
      {
        program: 'raw {"__proto__":{"isAdmin":true},"kept":[{"__proto__":1}]}',
        expect: { answer: { kept: [{}] } },
      },
    ],
  },
  {
    name: "gets a key that is called __proto__ as any other, and can't send it back",
    steps: [
      {
        program: "echo",
        payload: JSON.parse('{"__proto__":{"isAdmin":true},"kept":1}') as unknown,
        expect: { answer: eventOf("on_alert", "echo", { kept: 1 }) },
      },
    ],
  },
];
