/** Characters that break what treats them as bytes, or bytes as them. */
import { eventOf } from "../program.ts";
import type { Scenario } from "../scenario.ts";

const TEXTS: readonly (readonly [what: string, text: string])[] = [
  ["two-byte letters", "Grüße aus Žižkov"],
  ["three-byte letters", "日本語 हिन्दी 한국어"],
  ["emoji", "🚀🇩🇪👩‍👩‍👧‍👦🏳️‍🌈"],
  ["combining marks", "e\u0301 n\u0303 Z\u0351\u036b"],
  ["right-to-left marks", "\u202eabc\u202c \u2067שלום\u2069"],
  ["NUL", "before\u0000after"],
  ["control characters", "\u0001\b\t\f\r\u001b[31m\u007f\u0085"],
  ["quotes and backslashes", `"a" \\ 'b' \\" \\u0041 / </script>`],
  ["line separators", "one\u2028two\u2029three"],
  ["a byte order mark", "\ufeffmarked\ufeff"],
  ["the last characters of the planes", "\ud7ff\ue000\ufffd\uffff\u{10ffff}"],
];

const LONE = ["\ud800", "\udfff", "a\ud83db", "\ude80\ud83d", { "\udc00": "\ud800" }];

export const texts: readonly Scenario[] = [
  ...TEXTS.map(([what, text]): Scenario => ({
    name: `reads and writes ${what}`,
    steps: [{ program: `say ${text}`, expect: { answer: text } }],
  })),
  {
    name: "passes on texts and keys of every kind",
    steps: [
      {
        program: "echo",
        payload: Object.fromEntries(TEXTS.map(([what, text]) => [text, [what, text]])),
        expect: {
          answer: eventOf(
            "on_alert",
            "echo",
            Object.fromEntries(TEXTS.map(([what, text]) => [text, [what, text]])),
          ),
        },
      },
    ],
  },
  {
    name: "passes on halves of surrogate pairs",
    steps: [{ program: "echo", payload: LONE, expect: { answer: eventOf("on_alert", "echo", LONE) } }],
  },
  {
    name: "reads and writes half a surrogate pair",
    steps: [{ program: "say a\ud83db", expect: { answer: "a\ud83db" } }],
    otherwise: [
      {
        rooms: ["wasm"],
        why: "Texts are UTF-8 there, which has no half of a pair; what a language does about it is its own.",
      },
    ],
  },
  {
    name: "counts the bytes of its event as UTF-8",
    steps: [
      {
        program: "length",
        payload: "ü€🚀",
        expect: { answer: Buffer.byteLength(JSON.stringify(eventOf("on_alert", "length", "ü€🚀"))) },
      },
    ],
  },
];
