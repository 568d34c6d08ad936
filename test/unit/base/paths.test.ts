import { expect, test } from "bun:test";
import { choosePaths, defaultPaths } from "../../../src/base/paths.ts";

test("root has the system's places, whatever its environment says", () => {
  expect(defaultPaths({ HOME: "/root", XDG_RUNTIME_DIR: "/run/user/0" }, 0)).toEqual({
    configFile: "/etc/voxeltron/config.toml",
    dataDir: "/var/lib/voxeltron",
    socket: "/run/voxeltron/voxeltron.sock",
  });
});

test("anyone else has the XDG directories, or their defaults below the home", () => {
  expect(
    defaultPaths({ XDG_CONFIG_HOME: "/c", XDG_DATA_HOME: "/d", XDG_RUNTIME_DIR: "/r", HOME: "/h" }, 1000),
  ).toEqual({ configFile: "/c/voxeltron/config.toml", dataDir: "/d/voxeltron", socket: "/r/voxeltron.sock" });
  expect(defaultPaths({ HOME: "/h" }, 1000)).toEqual({
    configFile: "/h/.config/voxeltron/config.toml",
    dataDir: "/h/.local/share/voxeltron",
    socket: "/h/.local/share/voxeltron/voxeltron.sock",
  });
});

test("a relative XDG directory is ignored, as its specification says", () => {
  expect(defaultPaths({ XDG_DATA_HOME: "d", XDG_RUNTIME_DIR: ".", HOME: "/h" }, 1).socket).toBe(
    "/h/.local/share/voxeltron/voxeltron.sock",
  );
});

test("without a home there is an error, not a folder in the root", () => {
  expect(() => defaultPaths({}, 1000)).toThrow(expect.objectContaining({ code: "usage.invalid" }));
});

test("the strongest choice decides, and a data directory brings its own socket", () => {
  const defaults = { dataDir: "/d", socket: "/s" };
  expect(choosePaths([], defaults)).toEqual(defaults);
  expect(choosePaths([{ dataDir: "/x" }], defaults)).toEqual({ dataDir: "/x", socket: "/x/voxeltron.sock" });
  expect(choosePaths([{ socket: "/y" }], defaults)).toEqual({ dataDir: "/d", socket: "/y" });
  expect(choosePaths([{ dataDir: "/x" }, { socket: "/y", dataDir: "/z" }], defaults)).toEqual({
    dataDir: "/x",
    socket: "/x/voxeltron.sock",
  });
  expect(choosePaths([{ socket: "/y" }, { dataDir: "/z" }], defaults)).toEqual({
    dataDir: "/z",
    socket: "/y",
  });
});
