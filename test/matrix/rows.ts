/** The matrix, method by method. A method without a row fails the suite. */
import { expect } from "bun:test";
import type { HttpRules } from "../../src/platform/http/open-http.ts";
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

const reading = {
  capability: "fs_read",
  params: { path: "files/a", options: {} },
  excluded: ["files/b", "backups"],
} as const;

const writing = (params: unknown, excluded: readonly string[] = ["files/b"]): Row => ({
  capability: "fs_write",
  params,
  answer: null,
  excluded,
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
const openHttp: GivenPower = async (use, request, rules) => {
  const { url } = request as { readonly url: string };
  (rules as HttpRules).check({ target: parseTarget(url), method: "GET" });
  return use("net.connection");
};

const WEB = { id: "ab".repeat(32), name: "vx-web-1-1f2e3d4c", origin: "service", service: "web" };
const MADE = { id: "cd".repeat(32), name: "vxp.sample.x", origin: "plugin", plugin: "sample" };
const DIED = { ...MADE, action: "die" };

/** Finding it changes nothing, and what is left out is not found. */
const ofContainer = (work: string, container: typeof WEB | typeof MADE, answer: unknown): Row => ({
  capability: work === "inspect" || work === "stats" ? "docker_read" : "docker_write",
  params: { id: container.name },
  powers: {
    "containers.list": [container],
    "containers.inspect": container,
    [`containers.${work}`]: answer ?? undefined,
  },
  looks: ["containers.list", ...(work === "inspect" ? [] : ["containers.inspect"])],
  answer,
  excluded: ["api"],
  refusal: "container.not_found",
});

const containerEvents: GivenPower = async function* (use) {
  yield await use("containers.event");
};

const nothingComes: AsyncIterable<Uint8Array> = {
  [Symbol.asyncIterator]: () => ({ next: async () => ({ done: true, value: undefined }) }),
};

/** Nothing of it is ever late. */
const noTimers: GivenPower = () => () => {};

export const ROWS: Readonly<Record<string, Row>> = {
  "kv.get": own({ key: "k" }, 1, { "keyValues.get": "1" }),
  "kv.set": own({ key: "k", value: 1 }, null, { "keyValues.set": true, "keyValues.count": 0 }),
  "kv.delete": own({ key: "k" }, true, { "keyValues.delete": true }),
  "kv.list": own({ prefix: "" }, ["k"], { "keyValues.list": ["k"] }),
  "fs.read": {
    ...reading,
    powers: { "files.store.read": new TextEncoder().encode("x") },
    answer: { $b64: "eA==" },
  },
  "fs.readText": { ...reading, powers: { "files.store.read": new TextEncoder().encode("x") }, answer: "x" },
  "fs.list": {
    ...reading,
    powers: { "files.store.list": [{ name: "a", type: "file", size: 1, modified: 0 }] },
    answer: [{ name: "a", type: "file", size: 1 }],
  },
  "fs.stat": {
    ...reading,
    params: { path: "files/a" },
    powers: { "files.store.stat": { type: "file", size: 1, modified: 0 } },
    answer: { type: "file", size: 1, modified: "1970-01-01T00:00:00.000Z" },
    instant: AT_ONCE,
  },
  "fs.write": writing({ path: "files/a", data: "x" }),
  "fs.append": writing({ path: "files/a", data: { $b64: "eA==" } }),
  "fs.remove": writing({ path: "files/a" }),
  "fs.mkdir": writing({ path: "files/a", options: { parents: true } }),
  "fs.rename": writing({ from: "files/b", to: "files/a" }, ["files/c"]),
  "net.fetch": {
    capability: "network_outbound",
    params: { url: "https://api.example.com/" },
    powers: {
      "net.openHttp": openHttp,
      "net.clock.after": noTimers,
      "net.connection": {
        hop: { target: parseTarget("https://api.example.com/"), method: "GET" },
        head: {
          url: "https://api.example.com/",
          status: 204,
          statusText: "",
          headers: [],
          redirected: false,
        },
        body: nothingComes,
      },
    },
    answer: expect.objectContaining({ status: 204 }),
    inJavaScript: { status: 204 },
    looks: ["net.ownEndpoints"],
    excluded: ["api.example.org"],
  },
  "net.connect": {
    capability: "network_outbound",
    params: { host: "db.example.com", port: 5432 },
    powers: {
      "net.dial": { incoming: nothingComes, write: async () => {}, close() {} },
      "net.clock.after": noTimers,
    },
    answer: { stream: expect.any(String) },
    inJavaScript: {},
    excluded: ["db.example.com:5433", "api.example.com"],
  },
  "notify.send": {
    capability: "notify_send",
    params: { channel: "ops", message: "hello" },
    powers: { "channels.channels": ["ops", "dev"], "channels.send": undefined },
    looks: ["channels.channels", "notifyRate.take"],
    answer: null,
    excluded: ["dev"],
  },
  "docker.list": {
    capability: "docker_read",
    params: {},
    powers: { "containers.list": [WEB, MADE] },
    answer: [WEB, MADE],
    excluded: "What is left out is not in the list.",
  },
  "docker.inspect": ofContainer("inspect", WEB, WEB),
  "docker.stats": ofContainer("stats", WEB, { cpuPercent: 1 }),
  "docker.events": {
    capability: "docker_read",
    params: {},
    powers: { "containers.events": containerEvents, "containers.event": DIED },
    answer: { stream: "1" },
    inJavaScript: DIED,
    excluded: "What is left out does not come.",
    instant: "It opens a stream and is over: what is open then is ended.",
  },
  "docker.create": {
    capability: "docker_write",
    params: { image: "redis:7" },
    powers: { "containers.create": { id: MADE.id, name: MADE.name } },
    answer: { id: MADE.id, name: MADE.name },
    excluded: ["web"],
  },
  "docker.start": ofContainer("start", WEB, null),
  "docker.stop": ofContainer("stop", WEB, null),
  "docker.restart": ofContainer("restart", MADE, null),
  "docker.remove": ofContainer("remove", MADE, null),
  "secrets.get": {
    capability: "secrets_read",
    params: { service: "web", name: "TOKEN" },
    powers: { "secrets.get": "the value" },
    answer: "the value",
    excluded: ["web/PASSWORD", "api/*"],
    instant: AT_ONCE,
  },
  "secrets.list": {
    capability: "secrets_read",
    params: { service: "web" },
    powers: { "secrets.names": ["PASSWORD", "TOKEN"] },
    answer: ["PASSWORD", "TOKEN"],
    excluded: "It is not refused: it names what is in scope, and nothing else.",
    instant: AT_ONCE,
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
  "metrics.query": {
    capability: "metrics_read",
    params: { service: "web", metric: "cpu_percent", from: "1h" },
    powers: { queryMetrics: { unit: "percent", points: [["2026-01-01T00:00:00.000Z", 1.5]] } },
    answer: { unit: "percent", points: [["2026-01-01T00:00:00.000Z", 1.5]] },
    excluded: ["db"],
  },
  "stream.next": { ...own({ stream: "9" }, undefined), ...ofStreams, failure: "stream.not_found" },
  "stream.write": { ...own({ stream: "9", data: 1 }, undefined), ...ofStreams, failure: "stream.not_found" },
  "stream.close": { ...own({ stream: "9" }, null), ...ofStreams },
};
