/** Engine and plugin host together, with real programs: plugins that know the devbox plugin API and nothing else, and bad ones. */
import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { silentLog } from "../../../../src/base/log.ts";
import { systemClock } from "../../../../src/base/clock.ts";
import { makePluggedProviders } from "../../../../src/engine/providers/plugged/plugged-providers.ts";
import type { Provider } from "../../../../src/engine/providers/provider.ts";
import { endProcessGroup, identifyProcess } from "../../../../src/platform/process-identity.ts";
import { openDatabase } from "../../../../src/state/database.ts";
import { makeProviderInstanceRows } from "../../../../src/state/provider-instances.ts";
import { execPlugin, withExecutables } from "../../../exec-plugin.ts";
import { instanceSpec } from "../../../fixtures/instance-spec.ts";
import { SAMPLE_LANGUAGES, sampleProvider } from "../../../fixtures/provider-samples.ts";
import { codeOf, rejection } from "../../../fixtures/rejection.ts";
import { tempDir } from "../../../harness.ts";
import { installSample, withWorld } from "../../host/world.ts";

const PATH = { PATH: "/usr/local/bin:/usr/bin:/bin" };

/** The provider `box`, installed with this program. */
async function withProvider(
  program: Uint8Array<ArrayBuffer>,
  actions: readonly string[],
  work: (provider: Provider) => Promise<void>,
): Promise<void> {
  await withWorld(
    async (world) => {
      const files = new Map(execPlugin({ name: "box", actions }));
      files.set("run", { bytes: program, executable: true });
      await installSample(world, files);
      const providers = makePluggedProviders({
        rows: makeProviderInstanceRows(openDatabase(":memory:")),
        installed: () => world.plugins.providers(),
        identify: identifyProcess,
        endGroup: endProcessGroup,
        secretsOf: () => ({}),
        clock: systemClock,
        log: silentLog,
      });
      const [provider] = providers.all();
      if (provider === undefined) throw new Error("no provider is there");
      await work(provider);
    },
    withExecutables([], PATH),
  );
}

const script = (text: string) => new TextEncoder().encode(`#!/bin/sh\nread -r request\n${text}\n`);
const signal = new AbortController().signal;

describe("a plugin that knows nothing but the devbox plugin API", () => {
  test.each([...SAMPLE_LANGUAGES])(
    "in %s is a provider: created, started, asked, stopped, destroyed",
    async (language) => {
      const folder = sampleProvider(language, "minimal");
      // Said where it is missing.
      if (folder === undefined) return;
      const program = new Uint8Array(readFileSync(join(folder, "provider")));
      await withProvider(program, ["exec"], async (provider) => {
        const said: string[] = [];
        const spec = instanceSpec({ image: "ubuntu:22.04", port: 80, hostPort: 20_000, command: ["a b"] });
        await provider.create(spec, { signal, progress: (text) => said.push(text) });
        expect(said[0]).toMatch(/^creating /i);
        await provider.start(spec.id);
        expect(await provider.status(spec.id)).toEqual({ state: "running" });
        expect(await provider.reach?.(spec)).toEqual({ host: "127.0.0.1", port: 20_000 });
        const options = { command: ["ls"], stdin: undefined, signal, output: async () => {} };
        expect(await rejection(provider.exec(spec.id, options))).toMatchObject({
          code: "plugin.failed",
          message: expect.stringMatching(/^box could not exec: unknown action/),
        });
        await provider.stop(spec.id, 1_000);
        await provider.destroy(spec.id);
        expect(await provider.status(spec.id)).toEqual({ state: "missing" });
      });
    },
    60_000,
  );
});

describe("a provider whose answers have the wrong type", () => {
  const act = {
    start: (provider: Provider, id: string) => provider.start(id),
    status: (provider: Provider, id: string) => provider.status(id),
    stats: async (provider: Provider, id: string) => provider.stats?.(id),
    logs: (provider: Provider, id: string) => {
      const look = { tail: undefined, follow: false };
      return Array.fromAsync(provider.logs(id, { from: undefined, look, signal }));
    },
    exec: (provider: Provider, id: string) =>
      provider.exec(id, { command: ["a"], stdin: undefined, signal, output: async () => {} }),
  } as const;

  test.each([
    ["start", '{"addresses":"10.0.0.1:80"}'],
    ["status", '"Up 5 minutes"'],
    ["status", "null"],
    ["stats", '{"cpu_seconds":"1","memory_bytes":2}'],
    ["logs", "[1]"],
    ["logs", '{"lines":[{"line":"x"}]}'],
    ["exec", '"done"'],
    ["exec", '{"exit_code":"0"}'],
  ] as const)("%s with %s is told so, and leaves the others well", async (action, result) => {
    const text = `case "$request" in *'"action":"${action}"'*) echo '{"ok":true,"result":${result}}' ;; *) echo '{"ok":true}' ;; esac`;
    await withProvider(script(text), ["stats", "logs", "exec"], async (provider) => {
      const spec = instanceSpec({ image: "a" });
      await provider.create(spec, { signal, progress() {} });
      expect(await rejection(act[action](provider, spec.id))).toMatchObject({
        code: "plugin.protocol",
        message: expect.stringMatching(new RegExp(`^box answered ${action} with .*, wanted `)),
        details: { problem: "wrong_result", action },
      });
      expect(await codeOf(provider.destroy(spec.id))).toBe("ok");
    });
  });

  test("with words that change from one look to the next is believed each time", async () => {
    const text = `n=$(cat "$TMPDIR/n" 2>/dev/null || echo 0); case "$request" in *'"action":"status"'*) case $n in 0) s=running ;; 1) s=exited ;; *) s=restarting ;; esac; echo $((n+1)) > "$TMPDIR/n"; echo '{"ok":true,"result":"'$s'"}' ;; *) echo '{"ok":true}' ;; esac`;
    await using dir = tempDir();
    const program = script(`TMPDIR=${dir.path}\n${text}`);
    await withProvider(program, [], async (provider) => {
      const spec = instanceSpec({ image: "a" });
      await provider.create(spec, { signal, progress() {} });
      const states: string[] = [];
      for (let look = 0; look < 3; look++) states.push((await provider.status(spec.id)).state);
      expect(states).toEqual(["running", "exited", "restarting"]);
    });
  });
});
