import { describe, expect, test } from "bun:test";
import { chooseRoom, type RoomQuestion } from "../../../src/host/choose-room.ts";

const plain: RoomQuestion = {
  tier: 2,
  manifestIsolation: undefined,
  operatorIsolation: undefined,
  builtins: [],
  struckOut: false,
  canConfine: true,
};

const CASES: readonly (readonly [
  what: string,
  question: Partial<RoomQuestion>,
  room: string,
  reason: string,
])[] = [
  ["JavaScript", {}, "js-worker", "that is where JavaScript runs"],
  ["WASM", { tier: 1 }, "wasm-process", "it is a WASM module"],
  ["WASM, whatever is asked for", { tier: 1, operatorIsolation: "worker" }, "wasm-process", "WASM"],
  ["a built-in", { builtins: ["node:crypto"] }, "js-process", "its code imports node:crypto"],
  ["two", { builtins: ["node:crypto", "node:path"] }, "js-process", "node:crypto and node:path"],
  ["three", { builtins: ["node:a", "node:b", "node:c"] }, "js-process", "node:a, node:b and node:c"],
  ["more", { builtins: ["node:a", "node:b", "c", "d"] }, "js-process", "node:a, node:b and 2 more"],
  [
    "a built-in counts before a wish",
    { builtins: ["node:path"], manifestIsolation: "process" },
    "js-process",
    "imports",
  ],
  [
    "the manifest's wish",
    { manifestIsolation: "process" },
    "js-process",
    'its plugin.toml says isolation = "process"',
  ],
  ["the manifest's other wish", { manifestIsolation: "worker" }, "js-worker", 'isolation = "worker"'],
  ["the operator's word", { operatorIsolation: "process" }, "js-process", "--isolation process"],
  [
    "the operator's word against the manifest's",
    { operatorIsolation: "worker", manifestIsolation: "process" },
    "js-worker",
    "--isolation worker",
  ],
  ["struck out", { struckOut: true }, "js-process", "stopped 3 times in a Worker within 10 minutes"],
  [
    "struck out against its manifest",
    { struckOut: true, manifestIsolation: "worker" },
    "js-process",
    "3 times",
  ],
  [
    "struck out against the operator",
    { struckOut: true, operatorIsolation: "worker" },
    "js-worker",
    "--isolation",
  ],
];

describe("chooseRoom", () => {
  test.each(CASES)("%s", (_what, question, room, reason) => {
    const choice = chooseRoom({ ...plain, ...question });
    expect(choice.room as string).toBe(room);
    expect(choice.reason).toContain(reason);
    expect(choice.reason).not.toContain("confine");
  });
});

describe("where nothing can be confined", () => {
  const cannot = { ...plain, canConfine: false };

  test.each([
    ["its author's wish", { manifestIsolation: "process" }],
    ["misbehaving in its Worker", { struckOut: true }],
  ] as const)("%s gets no plugin into an unconfined process", (_what, question) => {
    const choice = chooseRoom({ ...cannot, ...question });
    expect(choice.room).toBe("js-worker");
    expect(choice.reason).toEndWith(", but this machine can't confine a process");
  });

  test.each([
    ["wasm-process", { tier: 1 }],
    ["js-process", { builtins: ["node:zlib"] }],
    ["js-process", { operatorIsolation: "process" }],
  ] as const)(
    "what runs nowhere else stays in %s, and the reason says what is the matter",
    (room, question) => {
      const choice = chooseRoom({ ...cannot, ...question });
      expect(choice.room).toBe(room);
      expect(choice.reason).toEndWith(", and this machine can't confine its process");
    },
  );

  test("a plain plugin does not notice", () => {
    expect(chooseRoom(cannot)).toEqual(chooseRoom(plain));
  });
});
