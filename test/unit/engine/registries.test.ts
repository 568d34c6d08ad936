import { expect, test } from "bun:test";
import { join } from "node:path";
import { makeRegistries } from "../../../src/engine/registries.ts";
import { parseRegistryHost, registryOf } from "../../../src/engine/registry-host.ts";
import { openDatabase } from "../../../src/state/database.ts";
import { makeRegistryRows } from "../../../src/state/registries.ts";
import { fileBox } from "../../fixtures/secret-box.ts";
import { fakeClock, tempDir } from "../../harness.ts";

test("a login is found by the images of its host, sealed in the database, and gone after logout", async () => {
  await using dir = tempDir();
  const db = openDatabase(join(dir.path, "state.db"));
  const registries = makeRegistries(makeRegistryRows(db), fileBox(join(dir.path, "key")), fakeClock());
  registries.login({ host: "https://GHCR.io/v2/", username: "ann", password: "hunter2" });
  registries.login({ host: "ghcr.io", username: "bob", password: "hunter3" });
  expect(registries.list()).toEqual([{ host: "ghcr.io", username: "bob" }]);
  expect(registries.authFor("ghcr.io/a/b:1")).toEqual({
    host: "ghcr.io",
    username: "bob",
    password: "hunter3",
  });
  expect(registries.authFor("nginx")).toBeUndefined();
  const { password } = db.query<{ password: Uint8Array }, []>("SELECT password FROM registries").get() ?? {};
  expect(Buffer.from(password ?? []).includes("hunter3")).toBe(false);
  registries.logout("ghcr.io");
  expect(() => registries.logout("ghcr.io")).toThrow(expect.objectContaining({ code: "registry.not_found" }));
  expect(() => registries.login({ host: "a", username: "", password: "x" })).toThrow("empty");
  db.close();
});

test("an image names its registry as Docker reads it", () => {
  const rows: readonly [string, string][] = [
    ["nginx", "docker.io"],
    ["library/nginx:1.27", "docker.io"],
    ["docker.io/library/nginx", "docker.io"],
    ["index.docker.io/a/b", "docker.io"],
    ["ghcr.io/a/b@sha256:00", "ghcr.io"],
    ["localhost/a", "localhost"],
    ["localhost:5000/a:1", "localhost:5000"],
    ["user/app:1.0", "docker.io"],
  ];
  for (const [image, host] of rows) expect(registryOf(image)).toBe(host);
});

test("a host is read as people paste it, and what is none is refused", () => {
  expect(parseRegistryHost("https://index.docker.io/v1/")).toBe("docker.io");
  expect(parseRegistryHost("Registry.example.com:5000")).toBe("registry.example.com:5000");
  for (const text of ["", "a b", "user@host", "host:port", "-x"])
    expect(() => parseRegistryHost(text)).toThrow(expect.objectContaining({ code: "service.invalid" }));
});
