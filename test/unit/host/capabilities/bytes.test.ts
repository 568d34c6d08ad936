import { expect, test } from "bun:test";
import * as v from "valibot";
import { bytesSchema, wireBytes } from "../../../../src/host/capabilities/bytes.ts";

test("bytes come back as they were, whatever their number", () => {
  for (let length = 0; length < 70; length++) {
    const bytes = Uint8Array.from({ length }, (_, at) => (at * 37 + length) % 256);
    expect(v.parse(bytesSchema, wireBytes(bytes))).toEqual(bytes);
  }
});

test("what is taken for base64 is what the language takes for it, to the last character", () => {
  const texts = [
    "AAAA!",
    "AAAA!!!!",
    "AAA!",
    "AAAAA",
    "AAAA=",
    "AAAA====",
    "AA",
    "AA=",
    "AA==",
    "AA==A",
    "AAA=",
    " A A A A ",
    "AAAA \n",
    "A",
    "=",
    "A_-A",
    "☃",
    "AB",
    "",
  ];
  for (const $b64 of texts) {
    const found = v.safeParse(bytesSchema, { $b64 });
    let wanted: Uint8Array<ArrayBuffer> | undefined;
    try {
      wanted = Uint8Array.fromBase64($b64);
    } catch {
      wanted = undefined;
    }
    expect({ $b64, bytes: found.success ? found.output : undefined }).toEqual({ $b64, bytes: wanted });
  }
});
