/**
 * Every method of the broker × every room × every state of its grant: the right answer, or the right denial and nothing happened. Made
 * from the broker's own table, so that no method is forgotten.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { systemClock } from "../../src/base/clock.ts";
import { silentLog } from "../../src/base/log.ts";
import { makeBroker, type Broker } from "../../src/host/capabilities/broker.ts";
import { makeCatalogue } from "../../src/host/capabilities/catalogue.ts";
import type { Caller, Method } from "../../src/host/capabilities/method.ts";
import { DEFAULT_QUOTA } from "../../src/host/capabilities/quota.ts";
import { importName } from "../../src/host/runtimes/wasm/host-methods.ts";
import {
  WALLED_ROOM_KINDS,
  type OpenRoom,
  type PluginDoor,
  type Room,
} from "../../src/host/runtimes/runtime.ts";
import type { Capability } from "../../src/sdk/index.ts";
import { columns } from "../conformance/rooms.ts";
import { until } from "../harness.ts";
import { recordPowers, type RecordedPowers } from "./powers.ts";
import { JAVASCRIPT, WASM, type Got, type MatrixRoom } from "./rooms.ts";
import type { Row } from "./row.ts";
import { ROWS } from "./rows.ts";

const PLUGIN = { name: "sample", version: "1.0.0" };
const METHODS = makeCatalogue(recordPowers().powers);

/** A place for one cell: what the row's powers did, and the rights that its plugin has now. */
interface Cell {
  readonly powers: RecordedPowers;
  readonly grants: Map<Capability, readonly string[] | null>;
  readonly requested: Set<Capability>;
  readonly optional: Set<Capability>;
  readonly broker: Broker;
  readonly heard: string[];
}

function makeCell(
  { capability, powers: given, looks }: Row,
  requests: "required" | "optional" | "not",
): Cell {
  const powers = recordPowers(given, looks);
  const wanted = capability === undefined || requests === "not" ? [] : [capability];
  const heard: string[] = [];
  const caller = {
    plugin: PLUGIN.name,
    grants: new Map<Capability, readonly string[] | null>(),
    requested: new Set(wanted),
    optional: new Set(requests === "optional" ? wanted : []),
    withheld: new Set<Capability>(),
  };
  const broker = makeBroker({
    methods: makeCatalogue(powers.powers),
    callerOf: (): Caller => caller,
    audit: { append() {} },
    pluginLogs: { append: (_plugin, { text }) => heard.push(text) },
    quota: () => DEFAULT_QUOTA,
    clock: systemClock,
    log: silentLog,
  });
  return { ...caller, powers, broker, heard };
}

const methodOf = (name: string): Method => METHODS.find((each) => each.name === name)!;

test("every method has a row, and every row a method", () => {
  expect(Object.keys(ROWS).toSorted()).toEqual(METHODS.map(({ name }) => name).toSorted());
});

test("every method that needs a capability is tried with it, and what it leaves out says why", () => {
  for (const { name, anyOf } of METHODS) {
    const row = ROWS[name]!;
    if (anyOf.length === 0) expect(row.capability).toBeUndefined();
    else expect(anyOf).toContain(row.capability!);
    for (const why of [row.excluded, row.instant, row.notInJavaScript])
      if (typeof why === "string") expect(why).toMatch(/^\S.{20,}\.$/);
  }
});

for (const kind of WALLED_ROOM_KINDS) {
  // What it is written in makes no difference here: each room once.
  const column = (await columns()).find(({ room, code }) => room === kind && code !== undefined);
  describe.skipIf(column === undefined)(kind, () => {
    if (column !== undefined) play(kind === "wasm-process" ? WASM : JAVASCRIPT, column.open);
  });
}

function play(matrix: MatrixRoom, open: OpenRoom): void {
  /** In JavaScript all cells share a room: what a plugin may do is asked at each call. A module is linked with what it may do. */
  let shared: Room | undefined;
  let current: PluginDoor;
  const door: PluginDoor = {
    methods: makeBrokerDoor().methods,
    invoke: (...call) => current.invoke(...call),
    log: (...line) => current.log(...line),
  };

  function makeBrokerDoor(): PluginDoor {
    return makeCell(ROWS["kv.get"]!, "not").broker.doorFor(PLUGIN.name);
  }

  async function roomFor(method: Method, cell: Cell): Promise<Room> {
    current = cell.broker.doorFor(PLUGIN.name);
    if (shared !== undefined) return shared;
    const guest = { ...PLUGIN, code: await matrix.code(method), config: {}, entryMs: 10_000 };
    return open(guest, matrix.kind === "js" ? door : current);
  }

  async function ask(name: string, row: Row, cell: Cell): Promise<Got> {
    const method = methodOf(name);
    try {
      const room = await roomFor(method, cell);
      try {
        return await matrix.call(room, method, row.params);
      } finally {
        if (room !== shared) await room.stop();
      }
    } catch (error) {
      const { code, message, hint } = error as { code: string; message: string; hint?: string };
      return { error: { code, message, ...(hint === undefined ? {} : { hint }) } };
    }
  }

  beforeAll(async () => {
    if (matrix.kind !== "js") return;
    const code = await matrix.code(methodOf("kv.get"));
    shared = await open({ ...PLUGIN, code, config: {}, entryMs: 10_000 }, door);
  });
  afterAll(() => shared?.stop());

  for (const [name, row] of Object.entries(ROWS)) {
    if (matrix.kind === "js" && row.notInJavaScript !== undefined) continue;
    const { capability, excluded, instant, refusal = "capability.out_of_scope" } = row;

    test(`${name}, ${capability === undefined ? "which every plugin has" : "granted"}: the right answer`, async () => {
      const cell = makeCell(row, "required");
      if (capability !== undefined) cell.grants.set(capability, null);
      const got = await ask(name, row, cell);
      if (row.failure !== undefined) expect(got).toMatchObject({ error: { code: row.failure } });
      else
        expect(got).toEqual({
          result: matrix.kind === "js" ? (row.inJavaScript ?? row.answer) : row.answer,
        });
    });

    if (capability === undefined) continue;

    test(`${name}, not requested: the denial says so, and nothing happens`, async () => {
      const cell = makeCell(row, "not");
      const got = await ask(name, row, cell);
      expect(got).toMatchObject({
        error:
          matrix.kind === "js"
            ? { code: "capability.denied", hint: expect.stringContaining("plugin.toml does not ask for it") }
            : notLinked(name),
      });
      expect(cell.powers.used).toEqual([]);
    });

    test(`${name}, requested and not granted: the denial names the command, and nothing happens`, async () => {
      const cell = makeCell(row, "required");
      const got = await ask(name, row, cell);
      expect(got).toMatchObject({
        error:
          matrix.kind === "js"
            ? {
                code: "capability.denied",
                // A scope with a star is quoted for the shell.
                hint: expect.stringMatching(new RegExp(`plugin grant sample '?${capability}`)),
              }
            : notLinked(name),
      });
      expect(cell.powers.used).toEqual([]);
    });

    test(`${name}, optional and not granted: it loads, is denied, and nothing happens`, async () => {
      const cell = makeCell(row, "optional");
      expect(await ask(name, row, cell)).toMatchObject({ error: { code: "capability.denied" } });
      expect(cell.powers.used).toEqual([]);
    });

    test(`${name}, granted for nothing: refused, and nothing happens`, async () => {
      const cell = makeCell(row, "required");
      cell.grants.set(capability, []);
      if (typeof excluded === "string") return;
      expect(await ask(name, row, cell)).toMatchObject({ error: { code: refusal } });
      expect(cell.powers.used).toEqual([]);
    });

    if (typeof excluded !== "string")
      test(`${name}, granted for something else: refused, and nothing happens`, async () => {
        const cell = makeCell(row, "required");
        cell.grants.set(capability, excluded);
        expect(await ask(name, row, cell)).toMatchObject({ error: { code: refusal } });
        expect(cell.powers.used).toEqual([]);
      });

    if (instant === undefined)
      test(`${name}, revoked in mid-call: denied, and the answer is not given`, async () => {
        const cell = makeCell(row, "required");
        cell.grants.set(capability, null);
        cell.powers.hold();
        const asked = ask(name, row, cell);
        await until(() => cell.powers.used.length > 0, { what: "the power to be used" });
        const before = [...cell.powers.used];
        cell.grants.clear();
        cell.broker.rightsChanged(PLUGIN.name);
        cell.powers.go();
        expect(await asked).toMatchObject({ error: { code: "capability.denied" } });
        expect(cell.powers.used).toEqual(before);
      });
  }
}

function notLinked(name: string): object {
  return { code: "plugin.load_failed", message: expect.stringContaining(importName(name)) };
}
