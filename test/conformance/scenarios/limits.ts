/** Large and many: up to what is allowed it works, beyond it is an error that says so. */
import { expect } from "bun:test";
import { LIMITS } from "../../../src/base/limits.ts";
import { eventOf } from "../program.ts";
import type { Scenario } from "../scenario.ts";

/** Room for the rest of the message, and of the event. */
const FRAME = 4_096;
const LARGEST = "x".repeat(LIMITS.messageBytes - FRAME);
const GOES_ON = { program: "say goes on", expect: { answer: "goes on" } };

export const limits: readonly Scenario[] = [
  {
    name: "gets an event of almost 8 MiB",
    steps: [
      {
        program: "length",
        payload: LARGEST,
        expect: { answer: JSON.stringify(eventOf("on_alert", "length", LARGEST)).length },
      },
    ],
  },
  {
    name: "gives an answer of almost 8 MiB",
    steps: [{ program: `big ${LARGEST.length}`, expect: { characters: LARGEST.length } }],
  },
  {
    name: "gets and gives almost 8 MiB, again and again",
    steps: [1, 2, 3].map(() => ({
      program: "echo",
      payload: LARGEST,
      expect: { answer: eventOf("on_alert", "echo", LARGEST) },
    })),
    newGuests: 0,
  },
  {
    name: "does not get an event of more than 8 MiB",
    steps: [
      {
        program: "length",
        payload: "x".repeat(LIMITS.messageBytes),
        expect: { error: { code: "plugin.protocol", message: /the event for conformance has 8.*too much/ } },
      },
      GOES_ON,
    ],
    newGuests: 0,
  },
  {
    name: "can't give an answer of more than 8 MiB",
    steps: [
      {
        program: `big ${LIMITS.messageBytes + 1}`,
        expect: { error: { code: "plugin.protocol", message: /8(\.0+\d*)? MiB/ } },
      },
      GOES_ON,
    ],
  },
  {
    name: "gives an answer of many values and levels",
    steps: [
      { program: "wide 40000", expect: { answer: Array.from({ length: 40_000 }, () => 0) } },
      { program: "deep 150", expect: { answer: JSON.parse("[".repeat(150) + "]".repeat(150)) as unknown } },
    ],
  },
  {
    name: "can't give an answer of too many values",
    steps: [
      { program: "wide 60000", expect: { error: { code: "plugin.protocol", message: /values/ } } },
      GOES_ON,
    ],
  },
  {
    name: "can't give an answer of too many levels",
    steps: [
      { program: "deep 300", expect: { error: { code: "plugin.protocol", message: /level|nest|deep/ } } },
      GOES_ON,
    ],
  },
  {
    name: "asks five hundred times in one call",
    door: { answers: { "kv.get": { result: "found" } } },
    steps: [{ program: 'repeat 500 kv.get {"key":"k"}', expect: { answer: { result: "found" } } }],
    calls: Array.from({ length: 500 }, () => ({ method: "kv.get", params: { key: "k" } })),
  },
  {
    name: "stores a large value, and finds it",
    steps: [
      { program: "store 200000", expect: { answer: { result: null } } },
      { program: 'call kv.get {"key":"big"}', expect: { answer: { result: "x".repeat(200_000) } } },
    ],
  },
  {
    name: "can't store a value that is too large",
    steps: [
      {
        program: "store 300000",
        expect: {
          answer: {
            error: expect.objectContaining({
              code: "capability.limit",
              message: expect.stringContaining("256 KiB"),
            }) as unknown,
          },
        },
      },
    ],
  },
  {
    name: "can't ask with more than 8 MiB",
    steps: [
      {
        program: `store ${LIMITS.messageBytes + 1}`,
        expect: { answer: { error: expect.objectContaining({ code: "capability.limit" }) as unknown } },
      },
      GOES_ON,
    ],
    calls: [],
    newGuests: 0,
  },
  {
    name: "gets an answer of the host of almost 8 MiB",
    door: { answers: { "kv.get": { result: LARGEST.slice(FRAME) } } },
    steps: [{ program: 'call kv.get {"key":"k"}', expect: { answer: { result: LARGEST.slice(FRAME) } } }],
  },
  {
    name: "does not get an answer of the host of more than 8 MiB",
    door: { answers: { "kv.get": { result: "x".repeat(LIMITS.messageBytes) } } },
    steps: [
      {
        program: 'call kv.get {"key":"k"}',
        expect: {
          answer: {
            error: expect.objectContaining({
              code: "capability.limit",
              message: expect.stringContaining("the answer of kv.get has 8"),
            }) as unknown,
          },
        },
      },
    ],
  },
  {
    name: "takes 16 MiB of memory",
    steps: [{ program: "grow 16", expect: { answer: 16 } }],
    fresh: true,
  },
];
