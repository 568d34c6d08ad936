import { expect, test } from "bun:test";
import { refusalOf } from "../../../../src/platform/http/address-policy.ts";
import { systemResolver } from "../../../../src/platform/http/resolve.ts";
import { rejection } from "../../../fixtures/rejection.ts";

test("systemResolver reads the machine's own names, and all of their addresses are loopback", async () => {
  const addresses = await systemResolver("localhost");
  expect(addresses.length).toBeGreaterThan(0);
  expect(addresses.map(refusalOf)).toEqual(addresses.map(() => "a loopback address"));
});

test("systemResolver rejects for a name that no one has", async () => {
  expect(await rejection(systemResolver("no-such-name.invalid"))).toBeInstanceOf(Error);
});
