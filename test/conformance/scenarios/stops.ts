/** Guests that have to be stopped, whatever they are doing; the next event finds a new one. */
import type { Scenario, Step } from "../scenario.ts";

const DEADLINE_MS = 200;
const GOES_ON: Step = { program: "say goes on", expect: { answer: "goes on" } };
const WAITS = 'call kv.get {"key":"k"}';
const NEVER = { answers: { "kv.get": "never" } } as const;
const JS_ONLY = [
  { rooms: ["wasm"], why: "A module has no promises: its call ends when it returns." },
] as const;

export const stops: readonly Scenario[] = [
  {
    name: "is stopped at its deadline while it computes",
    steps: [
      {
        program: "loop",
        deadlineMs: DEADLINE_MS,
        expect: {
          error: {
            code: "plugin.timeout",
            message: /^conformance did not finish on_alert within 0\.2 s$/,
            details: { plugin: "conformance", hook: "on_alert", deadlineMs: DEADLINE_MS },
          },
        },
      },
      GOES_ON,
    ],
    newGuests: 1,
  },
  {
    name: "is stopped at its deadline while it waits for the host, and the host is told",
    door: NEVER,
    steps: [
      { program: WAITS, deadlineMs: DEADLINE_MS, expect: { error: { code: "plugin.timeout" } } },
      GOES_ON,
    ],
    calls: [{ method: "kv.get", params: { key: "k" } }],
    newGuests: 1,
  },
  {
    name: "is stopped at its deadline while it waits for nothing",
    steps: [
      { program: "never", deadlineMs: DEADLINE_MS, expect: { error: { code: "plugin.timeout" } } },
      GOES_ON,
    ],
    newGuests: 1,
    otherwise: JS_ONLY,
  },
  {
    name: "has said and done what came before its deadline",
    steps: [
      {
        program: 'log info begins\ncall kv.set {"key":"k","value":1}\nloop',
        deadlineMs: DEADLINE_MS,
        expect: { error: { code: "plugin.timeout" } },
      },
      { program: WAITS, expect: { answer: { result: 1 } } },
    ],
    lines: [{ level: "info", text: "begins" }],
  },
  {
    name: "is a new guest after its deadline",
    fresh: true,
    steps: [
      { program: "count", expect: { answer: 1 } },
      { program: "count", expect: { answer: 2 } },
      { program: "loop", deadlineMs: DEADLINE_MS, expect: { error: { code: "plugin.timeout" } } },
      { program: "count", expect: { answer: 1 } },
    ],
  },
  {
    name: "waits as long as it may",
    steps: [{ program: "wait 50", expect: { answer: null } }],
    newGuests: 0,
    otherwise: [
      {
        rooms: ["assemblyscript", "c", "rust"],
        why: "These modules are built without WASI, so they have no clock to wait for.",
      },
    ],
  },
  {
    name: "is stopped when it takes more memory than there is",
    steps: [
      {
        program: "grow 400",
        expect: { error: { code: "plugin.out_of_memory", message: /needed more than \d+ MiB of memory$/ } },
      },
      GOES_ON,
    ],
    newGuests: 1,
    otherwise: [
      {
        rooms: ["wasm"],
        why: "A module is told that it gets no more and decides for itself: it fails, and its error says how much it had.",
        expect: {
          steps: [
            {
              error: {
                code: "plugin.failed",
                message: /it had 6\d(\.\d)? MiB of memory, and gets at most 64 MiB$/,
              },
            },
            GOES_ON.expect,
          ],
          newGuests: 0,
        },
      },
    ],
  },
  ...(["cancel", "stop"] as const).flatMap((interrupt): Scenario[] => [
    {
      name: `is stopped while it computes: ${interrupt}`,
      steps: [
        { program: "log info begins\nloop", interrupt, expect: { error: { code: "plugin.stopped" } } },
        GOES_ON,
      ],
      newGuests: 1,
    },
    {
      name: `is stopped while it waits for the host, and the host is told: ${interrupt}`,
      door: NEVER,
      steps: [{ program: WAITS, interrupt, expect: { error: { code: "plugin.stopped" } } }, GOES_ON],
      newGuests: 1,
    },
  ]),
];
