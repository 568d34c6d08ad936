import { describe, expect, test } from "bun:test";
import { LIMITS } from "../../../../src/base/limits.ts";
import { lookUp } from "../../../../src/platform/http/look-up.ts";

const place = { host: "a.test", port: 80, isAddress: false };

describe("a look-up", () => {
  test("shows few of the thousands of addresses that a name may have, IPv4 first", async () => {
    const six = Array.from({ length: 10 }, (_, i) => `2a00::${i + 1}`);
    const four = Array.from({ length: 4_000 }, (_, i) => `8.8.${i >> 8}.${i & 255}`);
    let shown: readonly string[] = [];
    const chosen = await lookUp(
      async () => [...six, ...four],
      place,
      (_place, addresses) => (shown = addresses),
      new AbortController().signal,
    );
    expect(shown).toEqual([...four.slice(0, LIMITS.addressesOfName - 10), ...six]);
    expect(chosen).toEqual(four.slice(0, LIMITS.connectAttempts));
  });
});
