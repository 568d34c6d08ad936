import { expect, test } from "bun:test";
import { LIMITS } from "../../../../../src/base/limits.ts";
import { receiveCode, sendCode } from "../../../../../src/host/runtimes/process/code-frames.ts";
import type { LoadedCode } from "../../../../../src/host/runtimes/runtime.ts";

function passOn(code: LoadedCode) {
  const frames: Uint8Array[] = [];
  sendCode(
    {
      sendText: (text) => void frames.push(new TextEncoder().encode(text)),
      sendBytes: (bytes) => void frames.push(bytes),
    },
    code,
  );
  const sizes = frames.map(({ length }) => length);
  const received = receiveCode(() => frames.shift() ?? new Uint8Array(0));
  expect(frames).toEqual([]);
  return { ...received, sizes: sizes.slice(1) };
}

test("a bundle that is larger than a message comes in pieces, and its source map with it", () => {
  const text = "ü".repeat(LIMITS.bundleBytes / 2);
  const { bytes, sourceMap, sizes } = passOn({ kind: "js", text, sourceMap: "{}" });
  expect(new TextDecoder().decode(bytes) === text).toBe(true);
  expect(new TextDecoder().decode(sourceMap)).toBe("{}");
  expect(Math.max(...sizes)).toBe(LIMITS.codeFrameBytes);
});

test.each<[string, LoadedCode]>([
  ["a module", { kind: "wasm", bytes: new Uint8Array([0, 1, 255]) }],
  ["code without a source map", { kind: "js", text: "\0\u0001ÿ", sourceMap: undefined }],
  ["no code at all", { kind: "js", text: "", sourceMap: undefined }],
])("%s arrives as it is", (_what, code) => {
  const { bytes, sourceMap } = passOn(code);
  expect([...bytes]).toEqual([...(code.kind === "wasm" ? code.bytes : new TextEncoder().encode(code.text))]);
  expect(sourceMap.length).toBe(0);
});
