import { expect, test } from "bun:test";
import { LIMITS } from "../../../../../src/base/limits.ts";
import { makeByteDesk } from "../../../../../src/host/runtimes/js/byte-desk.ts";

test("bytes that the guest put are in its next message, and in no other", () => {
  const desk = makeByteDesk();
  const ticket = desk.put(new Uint8Array([1, 2, 3]));
  const text = JSON.stringify({ params: [{ $b64: ticket }, { $b64: "AAAA" }, "x"] });
  expect(JSON.parse(desk.embed(text))).toEqual({ params: [{ $b64: "AQID" }, { $b64: "AAAA" }, "x"] });
  expect(desk.embed(text)).toBe(text);
});

test("bytes of the daemon are taken once, by a ticket that can't be guessed", () => {
  const desk = makeByteDesk();
  const value = desk.extract({ a: [{ $b64: "AQID" }], b: { $b64: "not base64!" }, c: null }) as {
    a: { $b64: string }[];
    b: unknown;
  };
  const ticket = value.a[0]!.$b64;
  expect(ticket).toMatch(/^[0-9a-f-]{36}:\d+$/);
  expect(value.b).toEqual({ $b64: "not base64!" });
  expect([...new Uint8Array(desk.take(ticket) ?? new ArrayBuffer(0))]).toEqual([1, 2, 3]);
  expect(desk.take(ticket)).toBeUndefined();
  expect(desk.take("1")).toBeUndefined();
});

test("it holds no more than a message may have", () => {
  const desk = makeByteDesk();
  desk.put(new Uint8Array(LIMITS.messageBytes));
  expect(() => desk.put(new Uint8Array(1))).toThrow(RangeError);
});

test("a message that is too large costs that message alone", () => {
  const desk = makeByteDesk();
  expect(() => desk.put(new Uint8Array(LIMITS.messageBytes + 1))).toThrow(RangeError);
  const ticket = desk.put(new Uint8Array([1, 2, 3]));
  expect(desk.embed(`{"$b64":"${ticket}"}`)).toBe('{"$b64":"AQID"}');
});

test("tickets of messages that are never sent are bounded, those of no bytes too", () => {
  const desk = makeByteDesk();
  for (let i = 0; i < LIMITS.messageValues; i++) desk.put(new Uint8Array(0));
  expect(() => desk.put(new Uint8Array(0))).toThrow(RangeError);
});

test("what a guest did not take of an answer is gone with the next one", () => {
  const desk = makeByteDesk();
  const first = desk.extract({ $b64: "AQID" }) as { $b64: string };
  desk.extract({ $b64: "AQID" });
  expect(desk.take(first.$b64)).toBeUndefined();
});
