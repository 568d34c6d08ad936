/**
 * The door of one scenario: the real broker with the real methods, on a store in memory, channels that take everything and a network that
 * is one server. It writes down what comes through. Called by run.ts.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../../src/base/clock.ts";
import { fail, fromWire } from "../../src/base/errors.ts";
import { LIMITS } from "../../src/base/limits.ts";
import { silentLog } from "../../src/base/log.ts";
import { noContainers } from "../fixtures/no-containers.ts";
import { makeBroker } from "../../src/host/capabilities/broker.ts";
import { makeCatalogue } from "../../src/host/capabilities/catalogue.ts";
import type { Caller } from "../../src/host/capabilities/method.ts";
import { makeFileStore } from "../../src/host/files/file-store.ts";
import { makeFileWriter } from "../../src/host/files/writer.ts";
import { DEFAULT_QUOTA } from "../../src/host/capabilities/quota.ts";
import type { PluginDoor } from "../../src/host/runtimes/runtime.ts";
import type { OpenHttp } from "../../src/platform/http/open-http.ts";
import { checkRequest } from "../../src/platform/http/request.ts";
import { parseTarget } from "../../src/platform/http/target.ts";
import type { Capability } from "../../src/sdk/index.ts";
import { openDatabase } from "../../src/state/database.ts";
import { makePluginFileRows } from "../../src/state/plugin-files.ts";
import { makePluginKvRows } from "../../src/state/plugin-kv.ts";
import { PLUGIN } from "./program.ts";
import type { CannedAnswer, DoorCall, DoorPlan, LogLine } from "./scenario.ts";

export interface ScenarioDoor extends PluginDoor {
  readonly calls: readonly DoorCall[];
  readonly lines: readonly LogLine[];
  /** Signals of calls that wait: a guest that is gone must not keep the daemon at work. */
  readonly waiting: readonly AbortSignal[];
  close(): void;
}

export const CHANNELS = ["ops", "dev"] as const;

export function makeDoor(plan: DoorPlan = {}): ScenarioDoor {
  const db = openDatabase(":memory:");
  const dataDir = mkdtempSync(join(tmpdir(), "voxeltron-door-"));
  const store = makeFileStore(dataDir);
  const calls: DoorCall[] = [];
  const lines: LogLine[] = [];
  const waiting: AbortSignal[] = [];
  const caller = callerOf(plan);
  const broker = makeBroker({
    methods: makeCatalogue({
      keyValues: makePluginKvRows(db),
      channels: { channels: () => CHANNELS, send: async () => {} },
      serviceLogs: { isService: () => false, async *read() {} },
      containers: noContainers,
      files: {
        store,
        writer: makeFileWriter({
          store,
          rows: makePluginFileRows(db),
          limits: () => ({ maxBytes: LIMITS.filesBytes, maxCount: LIMITS.filesCount }),
          clock: systemClock,
        }),
      },
      notifyRate: { take() {} },
      net: {
        openHttp: oneServer,
        dial: () => Promise.reject(fail("network.failed", "nobody is there")),
        addressPolicy: () => () => undefined,
        ownEndpoints: () => [],
        clock: systemClock,
      },
      secrets: { get: () => "a secret", names: () => ["TOKEN"] },
      queryMetrics: () => ({ points: [] }),
    }),
    callerOf: () => caller,
    audit: { append() {} },
    pluginLogs: {
      append: (_plugin, { level, text, fields }) =>
        lines.push(fields === undefined ? { level, text } : { level, text, fields }),
    },
    quota: () => DEFAULT_QUOTA,
    clock: systemClock,
    log: silentLog,
  });
  const door = broker.doorFor(PLUGIN.name);
  return {
    calls,
    lines,
    waiting,
    methods: door.methods,
    log: (level, text, fields) => door.log(level, text, fields),
    async invoke(method, params, signal, origin) {
      calls.push({ method, params });
      const canned = plan.answers?.[method];
      return canned === undefined
        ? door.invoke(method, params, signal, origin)
        : answer(canned, waiting, signal);
    },
    close() {
      db.close();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

// --- internal ---

function callerOf({
  grants = { network_outbound: null, notify_send: null },
  optional = [],
}: DoorPlan): Caller {
  return {
    plugin: PLUGIN.name,
    grants: new Map(Object.entries(grants) as [Capability, readonly string[] | null][]),
    requested: new Set(["network_outbound", "notify_send"]),
    optional: new Set(optional),
    withheld: new Set(),
  };
}

async function answer(canned: CannedAnswer, waiting: AbortSignal[], signal?: AbortSignal): Promise<unknown> {
  if (canned === "never") {
    if (signal !== undefined) waiting.push(signal);
    return new Promise(() => {});
  }
  if ("bug" in canned) throw new Error(canned.bug);
  if ("error" in canned) throw fromWire(canned.error);
  return canned.result;
}

/** Says what it was asked. The rules are asked as the real client asks them. */
const oneServer: OpenHttp = async (request, rules) => {
  const { url, method, headers, body } = checkRequest(request);
  const target = parseTarget(url);
  rules.check({ target, method });
  rules.choose(target, ["203.0.113.7"]);
  const text = `${method} ${target.path} ${JSON.stringify(headers)} ${new TextDecoder().decode(body)}`;
  return {
    hop: { target, method },
    address: "203.0.113.7",
    head: {
      url,
      status: 203,
      statusText: "Non-Authoritative Information",
      headers: [
        ["content-type", "text/plain"],
        ["x-served-by", target.host],
      ],
      redirected: false,
    },
    body: (async function* () {
      yield new TextEncoder().encode(text);
    })(),
  };
};
