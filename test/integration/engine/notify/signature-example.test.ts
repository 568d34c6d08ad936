/** The receiver that docs/configuration.md shows, against what the daemon really sends. */
import { expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { systemClock, type Clock } from "../../../../src/base/clock.ts";
import { silentLog } from "../../../../src/base/log.ts";
import { makeNotify } from "../../../../src/engine/notify/notify.ts";
import { makeHttpClient } from "../../../../src/platform/http/http-client.ts";
import { makeHttpOpener } from "../../../../src/platform/http/open-http.ts";
import { makeSmtpClient } from "../../../../src/platform/smtp/smtp-client.ts";
import { tempDir } from "../../../harness.ts";

interface Example {
  readonly isFromVoxeltron: (
    headers: Record<string, string>,
    body: Uint8Array | string,
    secret: string,
  ) => boolean;
}

async function readExample(folder: string): Promise<Example> {
  const text = readFileSync(join(import.meta.dir, "../../../../docs/configuration.md"), "utf8");
  const code = /```js\n(import \{ createHmac[\s\S]*?)```/.exec(text)?.[1] ?? "";
  const file = join(folder, "receiver.mjs");
  writeFileSync(file, code);
  return (await import(file)) as Example;
}

test("the documented receiver takes what was signed, and nothing else", async () => {
  await using dir = tempDir();
  const { isFromVoxeltron } = await readExample(dir.path);
  const received: { readonly headers: Record<string, string>; readonly body: Uint8Array }[] = [];
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    async fetch(request) {
      received.push({ headers: Object.fromEntries(request.headers), body: await request.bytes() });
      return new Response();
    },
  });
  const send = async (secret: string, clock: Clock): Promise<void> => {
    const powers = { resolve: async () => ["127.0.0.1"], clock };
    const url = `http://hook.test:${server.port}/`;
    const notify = makeNotify({
      channels: () => ({ ops: { type: "webhook", url, headers: {}, secret } }),
      host: "box",
      http: makeHttpClient(makeHttpOpener(powers), clock),
      smtp: makeSmtpClient(powers),
      clock,
      log: silentLog,
    });
    await notify.send("ops", { from: "ding", text: 'größer "zitiert"', severity: "info" });
  };
  try {
    await send("key", systemClock);
    await send("other key", systemClock);
    await send("key", { ...systemClock, now: () => systemClock.now() - 600_000 });
  } finally {
    await server.stop(true);
  }
  const [good, foreign, old] = received;
  if (good === undefined || foreign === undefined || old === undefined) throw new Error("three came in vain");
  expect(isFromVoxeltron(good.headers, good.body, "key")).toBe(true);
  expect(isFromVoxeltron(foreign.headers, foreign.body, "key")).toBe(false);
  expect(isFromVoxeltron(old.headers, old.body, "key")).toBe(false);
  expect(isFromVoxeltron(good.headers, `${new TextDecoder().decode(good.body)} `, "key")).toBe(false);
  expect(isFromVoxeltron({ ...good.headers, "x-voxeltron-signature": "sha256=" }, good.body, "key")).toBe(
    false,
  );
  expect(isFromVoxeltron({}, good.body, "key")).toBe(false);
});
