/** The matrix, method by method. A method without a row fails the suite. */
import { expect } from "bun:test";
import type { HttpRules } from "../../src/platform/http/http-client.ts";
import { parseTarget } from "../../src/platform/http/target.ts";
import type { GivenPower } from "./powers.ts";
import type { Row } from "./row.ts";

const NOT_CAPABLE = "Every plugin has it, so there is nothing to leave out.";
const AT_ONCE = "Its answer is there before anything else can happen.";

/** What every plugin has. */
const own = (params: unknown, answer: unknown, powers: Row["powers"] = {}): Row => ({
  capability: undefined,
  params,
  powers,
  answer,
  excluded: NOT_CAPABLE,
  instant: AT_ONCE,
});

const LINE = { at: "2026-01-31T08:00:00.000Z", level: "error", stream: "stderr", text: "no", version: 2 };

const ofStreams = { notInJavaScript: "It stands behind the iterator that a plugin has there." };

const FOLLOWED = {
  async *[Symbol.asyncIterator]() {
    yield LINE;
  },
};
const readLines: GivenPower = async function* (use) {
  yield* (await use("serviceLogs.lines")) as Iterable<unknown>;
};

/** Asks where it may go, as the real client does, before it goes there. */
const http: GivenPower = async (use, request, rules) => {
  const { url } = request as { readonly url: string };
  (rules as HttpRules).check({ target: parseTarget(url), method: "GET" });
  return use("net.connection");
};

export const ROWS: Readonly<Record<string, Row>> = {
  "kv.get": own({ key: "k" }, 1, { "keyValues.get": "1" }),
  "kv.set": own({ key: "k", value: 1 }, null, { "keyValues.set": true, "keyValues.list": [] }),
  "kv.delete": own({ key: "k" }, true, { "keyValues.delete": true }),
  "kv.list": own({ prefix: "" }, ["k"], { "keyValues.list": ["k"] }),
  "net.fetch": {
    capability: "network_outbound",
    params: { url: "https://api.example.com/" },
    powers: {
      "net.http": http,
      "net.connection": {
        url: "https://api.example.com/",
        status: 204,
        statusText: "",
        headers: [],
        body: new Uint8Array(),
        redirected: false,
      },
    },
    answer: expect.objectContaining({ status: 204 }),
    inJavaScript: { status: 204 },
    looks: ["net.ownEndpoints"],
    excluded: ["api.example.org"],
  },
  "notify.send": {
    capability: "notify_send",
    params: { channel: "ops", message: "hello" },
    powers: { "channels.channels": ["ops", "dev"], "channels.send": undefined },
    looks: ["channels.channels"],
    answer: null,
    excluded: ["dev"],
  },
  "logs.query": {
    capability: "logs_read",
    params: { service: "web", search: "no", limit: 5 },
    powers: { "serviceLogs.read": readLines, "serviceLogs.lines": [LINE], "serviceLogs.isService": true },
    looks: ["serviceLogs.isService"],
    answer: [LINE],
    excluded: ["api"],
  },
  "logs.follow": {
    capability: "logs_read",
    params: { service: "web" },
    powers: { "serviceLogs.read": FOLLOWED, "serviceLogs.isService": true },
    looks: ["serviceLogs.isService"],
    answer: { stream: expect.any(String) },
    inJavaScript: LINE,
    excluded: ["api"],
  },
  "stream.next": { ...own({ stream: "9" }, undefined), ...ofStreams, failure: "stream.not_found" },
  "stream.write": { ...own({ stream: "9", data: 1 }, undefined), ...ofStreams, failure: "stream.not_found" },
  "stream.close": { ...own({ stream: "9" }, null), ...ofStreams },
};
