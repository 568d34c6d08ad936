import { expect, test } from "bun:test";
import { originOf } from "../../../../../../src/engine/providers/docker/containers/origin.ts";

const instance = {
  "voxeltron.owner": "me",
  "voxeltron.service": "web",
  "voxeltron.version": "2",
  "voxeltron.instance": "vx-web-2-00000000",
};
const made = { "voxeltron.owner": "me", "voxeltron.plugin": "tidy" };
const origin = (labels: Record<string, string> | null, name = "vx-web-2-00000000", owner = "me") =>
  originOf({ name, labels, owner }).origin;

test("an instance is one by its labels and its name", () => {
  expect(originOf({ name: "vx-web-2-00000000", labels: instance, owner: "me" })).toEqual({
    origin: "service",
    service: "web",
    version: 2,
  });
  expect(origin(instance, "another-name")).toBe("other");
});

test("what a plugin made has the plugin's name", () => {
  expect(originOf({ name: "vxp.tidy.x", labels: made, owner: "me" })).toEqual({
    origin: "plugin",
    plugin: "tidy",
  });
});

test("an instance whose image has a plugin's label is no plugin's", () => {
  expect(origin({ ...instance, "voxeltron.plugin": "mallory" })).toBe("service");
  expect(origin({ ...instance, "voxeltron.plugin": "mallory" }, "another-name")).toBe("other");
});

test.each([
  [null],
  [{}],
  [{ "voxeltron.plugin": "tidy" }],
  [{ ...made, "voxeltron.owner": "you" }],
  [{ ...made, "voxeltron.owner": "" }],
  [{ ...made, "voxeltron.owner": "me " }],
  [{ ...made, "voxeltron.plugin": "" }],
  [{ "voxeltron.owner": "me" }],
  [{ "voxeltron.owner": "me", "voxeltron.service": "web" }],
  [{ "voxeltron.owner": "me", "voxeltron.instance": "vx-web-2-00000000" }],
  [{ ...instance, "voxeltron.service": "", "voxeltron.workspace": "web" }],
])("%j is somebody else's", (labels) => {
  expect(origin(labels as Record<string, string> | null)).toBe("other");
});

test("an installation without an id owns nothing", () => {
  expect(origin({ ...made, "voxeltron.owner": "" }, "x", "")).toBe("other");
});
