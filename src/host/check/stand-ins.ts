/**
 * What stands behind the door of a plugin that is being checked: powers that answer as the real ones would and do nothing. Its store and
 * its files are real, and go with the check; nothing is sent, no container is touched, no secret is one. Called by checked-door.ts.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { timestamp, type Clock } from "../../base/clock.ts";
import { fail } from "../../base/errors.ts";
import { LIMITS } from "../../base/limits.ts";
import type { CataloguePowers } from "../capabilities/catalogue.ts";
import type { NetOptions } from "../capabilities/net-options.ts";
import { checkRequest } from "../../platform/http/request.ts";
import { parseTarget } from "../../platform/http/target.ts";
import { isMetric, METRICS, type LogLine } from "../../sdk/index.ts";
import { openDatabase } from "../../state/database.ts";
import { makePluginFileRows } from "../../state/plugin-files.ts";
import { makePluginKvRows } from "../../state/plugin-kv.ts";
import { makeFileStore } from "../files/file-store.ts";
import { makeFileWriter } from "../files/writer.ts";
import { standInContainers } from "./stand-in-containers.ts";

export interface StandIns {
  readonly powers: CataloguePowers;
  close(): void;
}

export interface StandInWorld {
  readonly clock: Clock;
  /** Names that it has sent to: there is no channel that it could not. */
  readonly channels: () => readonly string[];
  /** Of which there are containers. */
  readonly services: readonly string[];
}

export function makeStandIns({ clock, channels, services }: StandInWorld): StandIns {
  const db = openDatabase(":memory:");
  const dataDir = mkdtempSync(join(tmpdir(), "voxeltron-check-"));
  const store = makeFileStore(dataDir);
  const limits = (): { maxBytes: number; maxCount: number } => ({
    maxBytes: LIMITS.filesBytes,
    maxCount: LIMITS.filesCount,
  });
  const powers: CataloguePowers = {
    keyValues: makePluginKvRows(db),
    files: { store, writer: makeFileWriter({ store, rows: makePluginFileRows(db), limits, clock }) },
    net: standInNetwork(clock),
    channels: { channels, send: async () => {} },
    containers: standInContainers(clock, services),
    notifyRate: { take() {} },
    secrets: { get: (_service, name) => `stand-in for ${name}`, names: () => ["DATABASE_URL", "TOKEN"] },
    serviceLogs: { isService: () => true, read: (_service, query) => lines(clock, query) },
    queryMetrics: (question) => measured(clock, question),
  };
  return {
    powers,
    close() {
      db.close();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

// --- internal ---

/** An address that is nobody's (RFC 5737), and that the rules take for a public one. */
const NOBODY = "203.0.113.7";

/** Each request is answered with an empty object, each connection is taken and says nothing. */
function standInNetwork(clock: Clock): NetOptions {
  return {
    clock,
    addressPolicy: () => () => undefined,
    ownEndpoints: () => [],
    openHttp: async (request, rules) => {
      const { url, method } = checkRequest(request);
      const target = parseTarget(url);
      rules.check({ target, method });
      rules.choose(target, [NOBODY]);
      return {
        hop: { target, method },
        address: NOBODY,
        head: {
          url,
          status: 200,
          statusText: "OK",
          headers: [["content-type", "application/json"]],
          redirected: false,
        },
        body: piecesOf(new TextEncoder().encode("{}")),
      };
    },
    dial: async (to, choose) => {
      choose(to, [NOBODY]);
      let written = (): void => {};
      const heard = new Promise<void>((resolve) => (written = resolve));
      return {
        address: NOBODY,
        incoming: silence(clock, heard),
        write: async () => written(),
        close: () => written(),
      };
    },
  };
}

/** Long enough to be written to, and short enough that who waits for words still ends in his time. */
const LISTENING_MS = 1_000;
const HEARD_MS = 100;

/** Says nothing, and ends when it has heard something. */
// eslint-disable-next-line require-yield -- it has nothing to say
async function* silence(clock: Clock, heard: Promise<void>): AsyncGenerator<Uint8Array> {
  await Promise.race([heard, clock.sleep(LISTENING_MS)]);
  await clock.sleep(HEARD_MS);
}

async function* piecesOf(...pieces: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* pieces;
}

/** Two lines; who follows gets them, and the end. */
async function* lines(
  clock: Clock,
  {
    level,
    stream,
    search,
  }: {
    readonly level?: string | undefined;
    readonly stream?: string | undefined;
    readonly search?: string | undefined;
  },
): AsyncGenerator<LogLine> {
  const at = timestamp(clock.now());
  const all: readonly LogLine[] = [
    { at, level: "info", stream: "stdout", text: "GET / 200 12 ms", version: 7 },
    { at, level: "error", stream: "stderr", text: "a stand-in for an error", version: 7 },
  ];
  yield* all.filter(
    (line) =>
      (level === undefined || line.level === level) &&
      (stream === undefined || line.stream === stream) &&
      (search === undefined || line.text.includes(search)),
  );
}

const POINTS = 5;
const STEP_MS = 60_000;

function measured(
  clock: Clock,
  { service, metric }: { readonly service?: string | undefined; readonly metric: string },
): unknown {
  if (!isMetric(metric)) throw fail("metrics.unknown", `no metric is called ${metric}`);
  const now = clock.now();
  const at = (back: number): string => timestamp(now - back * STEP_MS);
  return {
    service: service ?? null,
    metric,
    unit: METRICS[metric].unit,
    from: at(POINTS),
    to: at(0),
    stepMs: STEP_MS,
    points: Array.from({ length: POINTS }, (_, index) => [at(POINTS - index), index]),
  };
}
