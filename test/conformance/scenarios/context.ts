/** What a plugin has: its settings, its log, its store, channels, the network. */
import { expect } from "bun:test";
import { LIMITS } from "../../../src/base/limits.ts";
import { CONFIG, PLUGIN } from "../program.ts";
import type { Scenario } from "../scenario.ts";

const done = { result: null };

const config: readonly Scenario[] = [
  {
    name: "reads settings that are texts",
    steps: [{ program: "config text\nconfig unicode", expect: { answer: [CONFIG.text, CONFIG.unicode] } }],
  },
  {
    name: "reads settings that are no texts",
    steps: [
      {
        program: "config whole\nconfig decimal\nconfig yes\nconfig list",
        expect: { answer: [CONFIG.whole, CONFIG.decimal, CONFIG.yes, CONFIG.list] },
      },
    ],
    otherwise: [
      {
        rooms: ["wasm"],
        why: "Extism's settings are texts: what is none is given as its JSON.",
        expect: { steps: [{ answer: ["42", "-2.5", "true", '["one","two"]'] }] },
      },
    ],
  },
  {
    name: "reads a setting that is empty",
    steps: [{ program: "config empty", expect: { answer: "" } }],
    otherwise: [
      {
        rooms: ["wasm"],
        why: "The PDKs make no difference between an empty setting and none.",
        expect: { steps: [{ answer: null }] },
      },
    ],
  },
  {
    name: "has no setting that nobody wrote, whatever it is called",
    steps: [
      {
        program: "config missing\nconfig constructor\nconfig __proto__\nconfig toString",
        expect: { answer: [null, null, null, null] },
      },
    ],
    otherwise: [
      {
        rooms: ["js"],
        why: "ctx.config is an object there, and an object has what every object has.",
        expect: { steps: [{ answer: [null, null, {}, null] }] },
      },
    ],
  },
  {
    name: "knows its name and version",
    steps: [{ program: "plugin", expect: { answer: PLUGIN } }],
    otherwise: [{ rooms: ["wasm"], why: "Extism has no function that would say it." }],
  },
];

const LEVELS = ["debug", "info", "warn", "error"] as const;

const log: readonly Scenario[] = [
  ...LEVELS.map((level): Scenario => ({
    name: `writes to its log at level ${level}`,
    steps: [{ program: `log ${level} all is well`, expect: { answer: null } }],
    lines: [{ level, text: "all is well" }],
  })),
  {
    name: "writes lines in order, of any text",
    steps: [
      { program: "log info Grüße 🚀\nlog warn two\nlog error three", expect: { answer: [null, null, null] } },
    ],
    lines: [
      { level: "info", text: "Grüße 🚀" },
      { level: "warn", text: "two" },
      { level: "error", text: "three" },
    ],
  },
  {
    name: "can't move a terminal's cursor with its log",
    steps: [{ program: "log info \u001b[31mred\u001b[0m\u0007", expect: { answer: null } }],
    lines: [{ level: "info", text: expect.stringMatching(/^\P{Cc}*red\P{Cc}*$/u) }],
  },
  {
    name: "has a line that is too long cut",
    steps: [{ program: `log info ${"x".repeat(20_000)}`, expect: { answer: null } }],
    lines: [{ level: "info", text: expect.stringMatching(new RegExp(`^x{${LIMITS.logTextChars - 1}}.$`)) }],
  },
  {
    name: "writes fields with a line",
    steps: [{ program: 'fields warn {"a":1,"b":["ü"]} with more', expect: { answer: null } }],
    lines: [{ level: "warn", text: "with more", fields: { a: 1, b: ["ü"] } }],
    otherwise: [{ rooms: ["wasm"], why: "A line of Extism's log is a text and nothing else." }],
  },
  {
    name: "has what it prints in its log",
    steps: [{ program: "print stdout one ü\nprint stderr two", expect: { answer: [null, null] } }],
    lines: [
      { level: "info", text: "one ü" },
      { level: "error", text: "two" },
    ],
    otherwise: [
      {
        rooms: ["assemblyscript", "c", "rust"],
        why: "These modules are built without WASI, so there is nothing to print to.",
      },
      {
        rooms: ["go"],
        why: "By custom programs write to stderr what they do, not only what went wrong.",
        expect: {
          lines: [
            { level: "info", text: "one ü" },
            { level: "warn", text: "two" },
          ],
        },
      },
    ],
  },
];

const VALUES: readonly (readonly [what: string, json: string])[] = [
  ["null", "null"],
  ["a number", "-1.5"],
  ["a text", '"Grüße 🚀 \\u0000"'],
  ["a list", '[1,[2,{"three":3}]]'],
  ["an object", '{"a":{"b":null}}'],
  ["bytes", '{"$b64":"AAH/gA=="}'],
];

function call(method: string, params: unknown): string {
  return `call ${method} ${JSON.stringify(params)}`;
}

const store: readonly Scenario[] = [
  ...VALUES.map(([what, json]): Scenario => {
    const value = JSON.parse(json) as unknown;
    return {
      name: `keeps ${what} in its store`,
      steps: [
        {
          program: `${call("kv.set", { key: "k", value })}\n${call("kv.get", { key: "k" })}`,
          expect: { answer: [done, { result: value }] },
        },
      ],
      calls: [
        { method: "kv.set", params: { key: "k", value } },
        { method: "kv.get", params: { key: "k" } },
      ],
    };
  }),
  {
    name: "finds nothing under a key that it never set",
    steps: [{ program: call("kv.get", { key: "missing" }), expect: { answer: done } }],
    calls: [{ method: "kv.get", params: { key: "missing" } }],
  },
  {
    name: "overwrites, deletes, and is told whether there was something",
    steps: [
      {
        program: [
          call("kv.set", { key: "k", value: 1 }),
          call("kv.set", { key: "k", value: 2 }),
          call("kv.get", { key: "k" }),
          call("kv.delete", { key: "k" }),
          call("kv.delete", { key: "k" }),
          call("kv.get", { key: "k" }),
        ].join("\n"),
        expect: { answer: [done, done, { result: 2 }, { result: true }, { result: false }, done] },
      },
    ],
  },
  {
    name: "lists its keys in order, all or those that begin with something",
    steps: [
      {
        program: [
          ...["b/2", "a", "b/1", "ü 🚀"].map((key) => call("kv.set", { key, value: key })),
          call("kv.list", {}),
          call("kv.list", { prefix: "b/" }),
          call("kv.list", { prefix: "c" }),
        ].join("\n"),
        expect: {
          answer: [
            done,
            done,
            done,
            done,
            { result: ["a", "b/1", "b/2", "ü 🚀"] },
            { result: ["b/1", "b/2"] },
            { result: [] },
          ],
        },
      },
    ],
  },
  {
    name: "finds in its store what a guest before it left",
    steps: [
      { program: call("kv.set", { key: "k", value: "left" }), expect: { answer: done } },
      { program: "loop", deadlineMs: 200, expect: { error: { code: "plugin.timeout" } } },
      { program: call("kv.get", { key: "k" }), expect: { answer: { result: "left" } } },
    ],
  },
  {
    name: "has Extism's variables, which are its store",
    steps: [
      {
        program: `var get v\nvar set v one Grüße\nvar get v\n${call("kv.get", { key: "v" })}\nvar remove v\nvar get v`,
        expect: { answer: [null, null, "one Grüße", { result: "one Grüße" }, null, null] },
      },
    ],
    otherwise: [{ rooms: ["js"], why: "JavaScript has ctx.kv, and no other way to the store." }],
  },
];

const outside: readonly Scenario[] = [
  {
    name: "sends a notification, as a text or in parts",
    steps: [
      {
        program: [
          call("notify.send", { channel: "ops", message: "web is live 🚀" }),
          call("notify.send", { channel: "dev", message: { title: "T", text: "t", severity: "error" } }),
        ].join("\n"),
        expect: { answer: [done, done] },
      },
    ],
    calls: [
      { method: "notify.send", params: { channel: "ops", message: "web is live 🚀" } },
      {
        method: "notify.send",
        params: { channel: "dev", message: { title: "T", text: "t", severity: "error" } },
      },
    ],
  },
  {
    name: "fetches",
    steps: [
      {
        program: call("net.fetch", { url: "https://api.example.com/a?b=c" }),
        expect: {
          answer: {
            result: {
              url: "https://api.example.com/a?b=c",
              status: 203,
              statusText: "Non-Authoritative Information",
              headers: [
                ["content-type", "text/plain"],
                ["x-served-by", "api.example.com"],
              ],
              body: { $b64: btoa("GET /a?b=c [] ") },
              redirected: false,
            },
          },
        },
      },
    ],
  },
  {
    name: "sends a body of bytes and headers",
    steps: [
      {
        program: call("net.fetch", {
          url: "https://api.example.com/",
          method: "POST",
          headers: [["x-own", "one"]],
          body: { $b64: btoa("ping") },
        }),
        expect: {
          answer: {
            result: expect.objectContaining({
              body: { $b64: btoa('POST / [["x-own","one"]] ping') },
            }) as unknown,
          },
        },
      },
    ],
  },
];

export const context: readonly Scenario[] = [...config, ...log, ...store, ...outside];
