import { expect, test } from "bun:test";
import { areIdsMapped, areIdsMappedFrom, coversIds } from "../../../src/platform/id-maps.ts";

const WHOLE = "         0          0 4294967295\n";
const ROOTLESS = "         0       1000          1\n         1     100000      65536\n";

test.each([
  ["the first namespace", WHOLE, 1_900_000_000, 1_900_065_535, true],
  ["a rootless container", ROOTLESS, 1_900_000_000, 1_900_065_535, false],
  ["a range inside of it", ROOTLESS, 60_000, 60_010, true],
  ["a range over two lines", ROOTLESS, 0, 65_536, true],
  ["one id too many", ROOTLESS, 60_000, 65_537, false],
  ["a gap", "0 0 10\n20 20 10\n", 5, 25, false],
  ["lines in another order", "10 10 10\n0 0 10\n", 5, 15, true],
  ["nothing mapped", "", 1, 2, false],
  ["something else", "hello\n1 2\n", 1, 2, false],
])("%s", (_what, map, first, last, expected) => {
  expect(coversIds(map, first, last)).toBe(expected);
});

test("this process knows its own id", () => {
  const uid = process.getuid?.() ?? 0;
  expect(areIdsMapped(uid, uid)).toBe(true);
  expect(areIdsMappedFrom(uid)).toBe(true);
  expect(areIdsMappedFrom(2 ** 33)).toBe(process.platform !== "linux");
  expect(areIdsMapped(uid, 2 ** 33)).toBe(process.platform !== "linux");
});
