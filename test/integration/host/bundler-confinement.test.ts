/**
 * The bundler's process, should a plugin's files ever take its parser over: it reads nothing of the host, reaches nobody and starts
 * nothing. The control is the same process without confinement. test/escape/native/ has the kernel's side of it.
 */
import { expect, test } from "bun:test";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { systemClock } from "../../../src/base/clock.ts";
import { frameText } from "../../../src/host/frames/frame.ts";
import { openFrameSocket } from "../../../src/host/frames/frame-socket.ts";
import { makeStartConfined } from "../../../src/platform/confine/confined-process.ts";
import { needs, tempDir, until } from "../../harness.ts";

const program = join(import.meta.dir, "../../fixtures/confined-bundler.ts");
const start = makeStartConfined({
  clock: systemClock,
  command: (...role) => [process.execPath, program, ...role],
});

/** What the process says, in order. */
async function say(words: readonly string[], confined: boolean): Promise<string[]> {
  const child = start({
    role: ["try", ...words],
    profile: "bundler",
    uid: undefined,
    memoryBytes: 1024 * 1024 * 1024,
    confined,
  });
  const said: string[] = [];
  const { promise: closed, resolve } = Promise.withResolvers<void>();
  openFrameSocket(child.descriptor, {
    frame: (bytes) => void said.push(frameText(bytes) ?? ""),
    tooLong: resolve,
    closed: resolve,
  });
  await closed;
  expect(await child.ended).toEqual({ kind: "status", status: 0 });
  return said;
}

test.skipIf(!needs("linux"))("has no power of the host's, and bundles", async () => {
  await using dir = tempDir();
  const secret = `secret-${crypto.randomUUID()}`;
  const [file, source, made] = [join(dir.path, "secret.txt"), join(dir.path, "a.ts"), join(dir.path, "made")];
  writeFileSync(file, secret);
  writeFileSync(source, `export const a = "${secret}";\nconsole.log(a);`);
  let connections = 0;
  const server = Bun.listen({
    hostname: "127.0.0.1",
    port: 0,
    socket: { open: () => void connections++, data() {} },
  });
  process.env["VOXELTRON_TEST_SECRET"] = secret;
  const words = [
    `read=${file}`,
    `list=${dir.path}`,
    "list=/etc",
    `build=${source}`,
    "read=/proc/self/environ",
    `connect=${server.port}`,
    "spawn=",
    "variable=VOXELTRON_TEST_SECRET",
    `write=${made}`,
  ];
  try {
    const said = await say(words, true);
    expect(said.at(-1)).toBe("bundled");
    expect(said.slice(0, -1).filter((line) => !/^\w+ failed: /.test(line))).toEqual([]);
    expect(said).toHaveLength(words.length + 1);
    expect(said.join()).not.toContain(secret);
    expect([existsSync(made), connections]).toEqual([false, 0]);

    // The environment is empty with and without confinement.
    const control = (await say(words, false)).filter((line) => !line.startsWith("variable "));
    expect(control.at(-1)).toBe("bundled");
    expect(control.slice(0, -1).filter((line) => !/^\w+ worked: /.test(line))).toEqual([]);
    expect(control.join()).toContain(secret);
    expect(existsSync(made)).toBe(true);
    await until(() => connections === 1, { what: "the connection" });
  } finally {
    delete process.env["VOXELTRON_TEST_SECRET"];
    server.stop(true);
  }
});
