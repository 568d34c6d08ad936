import { expect, test } from "bun:test";
import { makeCatalogue } from "../../../../src/host/capabilities/catalogue.ts";
import { makeAddressPolicy } from "../../../../src/platform/http/address-policy.ts";

test("makeCatalogue offers exactly these methods, under these capabilities", () => {
  const methods = makeCatalogue({
    keyValues: { get: () => undefined, set: () => true, delete: () => false, list: () => [] },
    net: {
      http: () => Promise.reject(new Error("not called")),
      addressPolicy: () => makeAddressPolicy([]),
      ownEndpoints: () => [],
    },
    channels: { channels: () => [], send: async () => {} },
    serviceLogs: { isService: () => false, async *read() {} },
  });
  expect(methods.map(({ name, args, anyOf }) => [name, args, anyOf])).toEqual([
    ["kv.get", ["key"], []],
    ["kv.set", ["key", "value"], []],
    ["kv.delete", ["key"], []],
    ["kv.list", ["prefix"], []],
    ["net.fetch", "object", ["network_outbound", "notify_send"]],
    ["notify.send", ["channel", "message"], ["notify_send"]],
    ["logs.query", "object", ["logs_read"]],
    ["logs.follow", "object", ["logs_read"]],
    ["stream.next", "object", []],
    ["stream.write", "object", []],
    ["stream.close", "object", []],
  ]);
});
