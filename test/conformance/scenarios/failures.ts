/** Plugins that fail. Their words reach the operator; their codes are never ours. */
import { LIMITS } from "../../../src/base/limits.ts";
import type { Scenario } from "../scenario.ts";

const NO_VALUES = "A module's failure is a text that it sets; there is no other thing that it could throw.";

const THROWN: readonly (readonly [what: string, program: string, words: RegExp])[] = [
  ["a text", 'throwValue "a text ü"', /^a text ü$/],
  ["a number", "throwValue 7", /^7$/],
  ["null", "throwValue null", /^null$/],
  ["an object", 'throwValue {"reason":7}', /^\{"reason":7\}$/],
  ["undefined", "throwNothing", /^undefined$/],
];

const UNJSONABLE: readonly (readonly [what: string, words: RegExp])[] = [
  ["bigint", /^TypeError/],
  ["circle", /^TypeError/],
  ["toJSON", /^not this$/],
];

const words: readonly Scenario[] = [
  {
    name: "fails with its own words",
    steps: [
      {
        program: "throw no deploys on Friday 🙅",
        expect: {
          error: {
            code: "plugin.failed",
            message: /^no deploys on Friday 🙅$/,
            details: { plugin: "conformance", hook: "on_alert" },
          },
        },
      },
    ],
  },
  {
    name: "fails without a word, and the hook is named",
    steps: [
      {
        program: "throw ",
        hook: "on_deploy_success",
        expect: { error: { code: "plugin.failed", message: /on_deploy_success/ } },
      },
    ],
  },
  {
    name: "can't move a terminal's cursor with its words",
    steps: [
      {
        program: "throw \u001b[31mred\u001b[0m",
        expect: { error: { code: "plugin.failed", message: /^\P{Cc}*red\P{Cc}*$/u } },
      },
    ],
  },
  {
    name: "has words that are too many cut",
    steps: [
      {
        program: `throw ${"x".repeat(5_000)}`,
        expect: {
          error: { code: "plugin.failed", message: new RegExp(`^x{1000,${LIMITS.errorTextChars}}.?$`) },
        },
      },
    ],
  },
  {
    name: "can't make its code one of ours",
    steps: [
      {
        program: "throwCode capability.denied not you",
        expect: {
          error: {
            code: "plugin.failed",
            message: /^RangeError: not you$/,
            details: { pluginCode: "capability.denied" },
          },
        },
      },
    ],
    otherwise: [{ rooms: ["wasm"], why: NO_VALUES }],
  },
  ...THROWN.map(([what, program, message]): Scenario => ({
    name: `throws ${what}`,
    steps: [{ program, expect: { error: { code: "plugin.failed", message } } }],
    otherwise: [{ rooms: ["wasm"], why: NO_VALUES }],
  })),
  {
    name: "fails at a command that it does not know",
    steps: [
      { program: "nonsense", expect: { error: { code: "plugin.failed", message: /has no such command$/ } } },
    ],
  },
];

const answersThatAreNone: readonly Scenario[] = [
  ...UNJSONABLE.map(([what, message]): Scenario => ({
    name: `can't answer with what is no JSON: ${what}`,
    steps: [{ program: `unjsonable ${what}`, expect: { error: { code: "plugin.failed", message } } }],
    otherwise: [{ rooms: ["wasm"], why: "An answer is bytes there: it is JSON or it is not." }],
  })),
  {
    name: "answers null where JSON has nothing for it: a function, a symbol",
    steps: [
      { program: "unjsonable function", expect: { answer: null } },
      { program: "unjsonable symbol", expect: { answer: null } },
    ],
    otherwise: [{ rooms: ["wasm"], why: "An answer is bytes there: it is JSON or it is not." }],
  },
  ...['{"half":', "nonsense", "1 2", "\u0000", "NaN"].map((text): Scenario => ({
    name: `can't answer with bytes that are no JSON: ${JSON.stringify(text)}`,
    steps: [
      { program: `raw ${text}`, expect: { error: { code: "plugin.protocol", message: /no JSON/ } } },
      { program: "say goes on", expect: { answer: "goes on" } },
    ],
    otherwise: [
      {
        rooms: ["js"],
        why: "It can't write its answer itself: reading it as JSON is what fails.",
        expect: {
          steps: [{ error: { code: "plugin.failed", message: /^SyntaxError/ } }, { answer: "goes on" }],
        },
      },
    ],
  })),
];

const afterwards: readonly Scenario[] = [
  {
    name: "is the same guest after a failure",
    fresh: true,
    steps: [
      { program: "count", expect: { answer: 1 } },
      { program: "throw once", expect: { error: { code: "plugin.failed" } } },
      { program: "count", expect: { answer: 2 } },
    ],
    newGuests: 0,
  },
  {
    name: "has said and done what came before it failed",
    steps: [
      {
        program: 'log warn about to fail\ncall kv.set {"key":"k","value":1}\nthrow now\nlog error never',
        expect: { error: { code: "plugin.failed", message: /^now$/ } },
      },
    ],
    lines: [{ level: "warn", text: "about to fail" }],
    calls: [{ method: "kv.set", params: { key: "k", value: 1 } }],
  },
  {
    name: "has no function for the hook",
    steps: [
      {
        program: "hook",
        hook: "on_backup_complete",
        expect: { error: { code: "plugin.no_hook", message: /on_backup_complete/ } },
      },
      { program: "say goes on", expect: { answer: "goes on" } },
    ],
    newGuests: 0,
  },
  {
    name: "calls itself too deeply",
    steps: [
      { program: "recurse", expect: { error: { code: "plugin.failed", message: /stack|deep/i } } },
      { program: "say goes on", expect: { answer: "goes on" } },
    ],
  },
  {
    name: "traps",
    steps: [
      { program: "trap", expect: { error: { code: "plugin.failed" } } },
      { program: "say goes on", expect: { answer: "goes on" } },
    ],
    otherwise: [{ rooms: ["js"], why: "JavaScript has no instruction that traps." }],
  },
];

export const failures: readonly Scenario[] = [...words, ...answersThatAreNone, ...afterwards];
