import { expect, test } from "bun:test";
import { systemClock } from "../../../../src/base/clock.ts";
import { makeCatalogue } from "../../../../src/host/capabilities/catalogue.ts";
import { makeAddressPolicy } from "../../../../src/platform/http/address-policy.ts";

test("makeCatalogue offers exactly these methods, under these capabilities", () => {
  const methods = makeCatalogue({
    keyValues: { get: () => undefined, set: () => true, delete: () => false, list: () => [] },
    net: {
      openHttp: () => Promise.reject(new Error("not called")),
      dial: () => Promise.reject(new Error("not called")),
      addressPolicy: () => makeAddressPolicy([]),
      ownEndpoints: () => [],
      clock: systemClock,
    },
    channels: { channels: () => [], send: async () => {} },
    notifyRate: { take() {} },
    secrets: { get: () => "", names: () => [] },
  });
  expect(methods.map(({ name, args, anyOf }) => [name, args, anyOf])).toEqual([
    ["kv.get", ["key"], []],
    ["kv.set", ["key", "value"], []],
    ["kv.delete", ["key"], []],
    ["kv.list", ["prefix"], []],
    ["net.fetch", "object", ["network_outbound", "notify_send"]],
    ["net.connect", "object", ["network_outbound"]],
    ["notify.send", ["channel", "message"], ["notify_send"]],
    ["secrets.get", ["service", "name"], ["secrets_read"]],
    ["secrets.list", ["service"], ["secrets_read"]],
    ["stream.next", "object", []],
    ["stream.write", "object", []],
    ["stream.close", "object", []],
  ]);
});
