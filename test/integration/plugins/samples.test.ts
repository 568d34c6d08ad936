/** The devbox plugin API's example in four languages, as the daemon calls it: the protocol needs no library anywhere. */
import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseExecManifest } from "../../../src/host/manifest/exec-manifest.ts";
import {
  SAMPLE_LANGUAGES,
  SAMPLE_VARIANTS,
  sampleName,
  sampleProvider,
  type SampleLanguage,
  type SampleVariant,
} from "../../fixtures/provider-samples.ts";
import { rejection } from "../../fixtures/rejection.ts";
import { tempDir } from "../../harness.ts";
import { call, executableIn, type Params } from "../../provider-plugin.ts";

const WORKSPACE = {
  name: "dev",
  image: "ubuntu:22.04",
  ports: { app: 8080 },
  env: { A: "b" },
  cpus: 2,
  memory: "4g",
};

describe.each([...SAMPLE_LANGUAGES])("the example in %s", (language) => {
  test.each([...SAMPLE_VARIANTS])("has a manifest of its name (%s)", (variant) => {
    const folder = sampleProvider(language, variant);
    if (folder === undefined) return;
    const manifest = parseExecManifest(readFileSync(join(folder, "plugin.yaml")));
    expect(manifest).toMatchObject({ name: sampleName(language, variant), main: "provider" });
  });

  test("answers each action as the API's text has it", async () => {
    await using sample = openSample(language, "minimal");
    if (sample === undefined) return;
    const said: string[] = [];
    expect(await sample.ask("create", WORKSPACE, said)).toBeUndefined();
    expect(said).toEqual(["Creating dev with image ubuntu:22.04"]);
    for (const action of ["start", "stop", "destroy"])
      expect(await sample.ask(action, { name: "dev" })).toBeUndefined();
    expect(await sample.ask("status", { name: "dev" })).toBe("running");
    expect(await rejection(sample.ask("dance", { name: "dev" }))).toMatchObject({
      code: "plugin.failed",
      message: "unknown action: dance",
    });
  });

  test("has a status that follows what was done, where it keeps it", async () => {
    await using sample = openSample(language, "stateful");
    if (sample === undefined) return;
    const status = async () => await sample.ask("status", { name: "dev" });
    expect(await status()).toBe("missing");
    expect(await rejection(sample.ask("start", { name: "dev" }))).toMatchObject({
      message: "container not found",
    });
    await sample.ask("create", WORKSPACE);
    expect(await status()).toBe("created");
    expect(await rejection(sample.ask("create", WORKSPACE))).toMatchObject({ message: "already there: dev" });
    await sample.ask("start", { name: "dev" });
    expect(await status()).toBe("running");
    await sample.ask("stop", { name: "dev" });
    expect(await status()).toBe("stopped");
    await sample.ask("destroy", { name: "dev" });
    await sample.ask("destroy", { name: "dev" });
    expect(await status()).toBe("missing");
    expect(await rejection(sample.ask("dance", { name: "dev" }))).toMatchObject({
      message: "unknown action: dance",
    });
  });
});

// --- internal ---

/** With a home of its own; undefined where this machine lacks the language. */
function openSample(language: SampleLanguage, variant: SampleVariant) {
  const folder = sampleProvider(language, variant);
  if (folder === undefined) return undefined;
  const home = tempDir();
  const plain = executableIn(folder, "provider", sampleName(language, variant));
  const executable = { ...plain, env: { ...plain.env, HOME: home.path } };
  return {
    ask: (action: string, params: Params, said: string[] = []) =>
      call(executable, action, params, { said: (line) => said.push(line) }),
    [Symbol.asyncDispose]: () => home[Symbol.asyncDispose](),
  };
}
