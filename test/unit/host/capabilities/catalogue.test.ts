import { expect, test } from "bun:test";
import { systemClock } from "../../../../src/base/clock.ts";
import { makeCatalogue } from "../../../../src/host/capabilities/catalogue.ts";
import { makeAddressPolicy } from "../../../../src/platform/http/address-policy.ts";
import { noContainers } from "../../../fixtures/no-containers.ts";

test("makeCatalogue offers exactly these methods, under these capabilities", () => {
  const methods = makeCatalogue({
    keyValues: { get: () => undefined, set: () => true, delete: () => false, list: () => [], count: () => 0 },
    files: {
      store: { read: notCalled, list: notCalled, stat: notCalled },
      writer: { write: notCalled, append: notCalled, remove: notCalled, mkdir: notCalled, rename: notCalled },
    },
    net: {
      openHttp: notCalled,
      dial: notCalled,
      addressPolicy: () => makeAddressPolicy([]),
      ownEndpoints: () => [],
      clock: systemClock,
    },
    channels: { channels: () => [], send: async () => {} },
    containers: noContainers,
    notifyRate: { take() {} },
    secrets: { get: () => "", names: () => [] },
    serviceLogs: { isService: () => false, async *read() {} },
    queryMetrics: () => ({}),
  });
  expect(methods.map(({ name, args, anyOf }) => [name, args, anyOf])).toEqual([
    ["kv.get", ["key"], []],
    ["kv.set", ["key", "value"], []],
    ["kv.delete", ["key"], []],
    ["kv.list", ["prefix"], []],
    ["fs.read", ["path", "options"], ["fs_read"]],
    ["fs.readText", ["path", "options"], ["fs_read"]],
    ["fs.list", ["path", "options"], ["fs_read"]],
    ["fs.stat", ["path"], ["fs_read"]],
    ["fs.write", ["path", "data"], ["fs_write"]],
    ["fs.append", ["path", "data"], ["fs_write"]],
    ["fs.remove", ["path"], ["fs_write"]],
    ["fs.mkdir", ["path", "options"], ["fs_write"]],
    ["fs.rename", ["from", "to"], ["fs_write"]],
    ["net.fetch", "object", ["network_outbound", "notify_send"]],
    ["net.connect", "object", ["network_outbound"]],
    ["notify.send", ["channel", "message"], ["notify_send"]],
    ["docker.list", [], ["docker_read"]],
    ["docker.inspect", ["id"], ["docker_read"]],
    ["docker.stats", ["id"], ["docker_read"]],
    ["docker.events", [], ["docker_read"]],
    ["docker.create", "object", ["docker_write"]],
    ["docker.start", ["id"], ["docker_write"]],
    ["docker.stop", ["id"], ["docker_write"]],
    ["docker.restart", ["id"], ["docker_write"]],
    ["docker.remove", ["id"], ["docker_write"]],
    ["secrets.get", ["service", "name"], ["secrets_read"]],
    ["secrets.list", ["service"], ["secrets_read"]],
    ["logs.query", "object", ["logs_read"]],
    ["logs.follow", "object", ["logs_read"]],
    ["metrics.query", "object", ["metrics_read"]],
    ["stream.next", "object", []],
    ["stream.write", "object", []],
    ["stream.close", "object", []],
  ]);
});

function notCalled(): never {
  throw new Error("not called");
}
