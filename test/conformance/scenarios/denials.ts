/** What a plugin may not do, and what it is told about it. */
import { expect } from "bun:test";
import { LIMITS } from "../../../src/base/limits.ts";
import type { Expectation, Scenario } from "../scenario.ts";

const SEND = 'call notify.send {"channel":"ops","message":"hello"}';
const FETCH = 'call net.fetch {"url":"https://api.example.com/"}';

/** An answer that is an error with this code, and words. */
function refused(code: string, message: RegExp, more: Readonly<Record<string, unknown>> = {}): Expectation {
  return {
    answer: {
      error: expect.objectContaining({ code, message: expect.stringMatching(message), ...more }) as unknown,
    },
  };
}

const NO_SEND =
  "plugin conformance called notify.send in on_alert, which needs notify_send; that is not granted";

export const denials: readonly Scenario[] = [
  {
    name: "is denied what was revoked, with the words and the command",
    door: { grants: {} },
    steps: [
      {
        program: SEND,
        expect: {
          answer: {
            error: {
              code: "capability.denied",
              message: NO_SEND,
              hint: "to allow only that: voxeltron plugin grant conformance notify_send=ops",
              details: {
                capability: "notify_send",
                method: "notify.send",
                plugin: "conformance",
                during: "on_alert",
              },
            },
          },
        },
      },
    ],
  },
  {
    name: "goes on after a denial, with what it has",
    door: { grants: {} },
    steps: [
      {
        program: `${FETCH}\ncall kv.set {"key":"k","value":1}\ncall kv.get {"key":"k"}`,
        expect: {
          answer: [
            { error: expect.objectContaining({ code: "capability.denied" }) as unknown },
            { result: null },
            { result: 1 },
          ],
        },
      },
    ],
  },
  {
    name: "without a grant that it requires can't do what needs it",
    door: { grants: {} },
    fresh: true,
    steps: [
      { program: SEND, expect: refused("capability.denied", /which needs notify_send; that is not granted/) },
    ],
    otherwise: [
      {
        rooms: ["wasm"],
        why: "A module whose import is not granted is not loaded: the function does not exist for it.",
        expect: {
          steps: [
            { error: { code: "plugin.load_failed", message: /notify_send.*needs|needs.*notify_send/ } },
          ],
          calls: [],
        },
      },
    ],
  },
  {
    name: "runs without a grant that it asks for as optional, and is denied when it calls",
    door: { grants: {}, optional: ["network_outbound", "notify_send"] },
    fresh: true,
    steps: [
      { program: "say runs", expect: { answer: "runs" } },
      { program: SEND, expect: refused("capability.denied", /notify_send/) },
      { program: FETCH, expect: refused("capability.denied", /network_outbound or notify_send/) },
    ],
  },
  {
    name: "can't reach a channel that is out of its scope",
    door: { grants: { notify_send: ["dev"] } },
    steps: [
      {
        program: `${SEND}\ncall notify.send {"channel":"dev","message":"hello"}`,
        expect: {
          answer: [
            (
              refused(
                "capability.out_of_scope",
                /the channel "ops" is none of those that it may use \(dev\)/,
              ) as { answer: unknown }
            ).answer,
            { result: null },
          ],
        },
      },
    ],
  },
  {
    name: "can't reach a host that is out of its scope",
    door: { grants: { network_outbound: ["*.example.org"] } },
    steps: [
      {
        program: FETCH,
        expect: refused(
          "capability.out_of_scope",
          /api\.example\.com is none of the hosts that it may reach/,
          {
            hint: expect.stringContaining("network_outbound="),
          },
        ),
      },
    ],
  },
  {
    name: "is told of a channel that does not exist",
    steps: [
      {
        program: 'call notify.send {"channel":"nobody","message":"hello"}',
        expect: refused("notify.unknown_channel", /no channel is called "nobody"; there are: ops, dev/),
      },
    ],
  },
  {
    name: "is told what is wrong with its parameters",
    steps: [
      { program: "call kv.get {}", expect: refused("capability.invalid_params", /^kv\.get: key is missing/) },
      {
        program: 'call kv.get {"key":7}',
        expect: refused("capability.invalid_params", /^kv\.get: key: wanted/),
      },
      {
        program: 'call kv.set {"key":"","value":1}',
        expect: refused("capability.invalid_params", /^kv\.set: key/),
      },
      {
        program: `call kv.get {"key":"${"k".repeat(LIMITS.kvKeyChars + 1)}"}`,
        expect: refused("capability.invalid_params", /^kv\.get: key/),
      },
      {
        program: 'call notify.send {"channel":"ops","message":{"text":""}}',
        expect: refused("capability.invalid_params", /^notify\.send: message/),
      },
      {
        program: 'call net.fetch {"url":"ftp://example.com/"}',
        expect: refused("capability.out_of_scope", /./),
      },
    ],
  },
  {
    name: "gets an error of the host with its code, words, hint and details",
    door: {
      answers: {
        "net.fetch": {
          error: {
            code: "network.failed",
            message: "nobody listens on api.example.com:443 – ü",
            hint: "is it up?",
            details: { host: "api.example.com", tries: 4 },
          },
        },
      },
    },
    steps: [
      {
        program: FETCH,
        expect: {
          answer: {
            error: {
              code: "network.failed",
              message: "nobody listens on api.example.com:443 – ü",
              hint: "is it up?",
              details: { host: "api.example.com", tries: 4 },
            },
          },
        },
      },
    ],
  },
  {
    name: "learns nothing of a bug in the daemon but that there was one",
    door: { answers: { "kv.get": { bug: "the path /etc/voxeltron and a token" } } },
    steps: [
      {
        program: 'call kv.get {"key":"k"}',
        expect: {
          answer: {
            error: expect.objectContaining({
              code: "internal.bug",
              message: "something went wrong inside voxeltron",
            }) as unknown,
          },
        },
      },
    ],
  },
];
