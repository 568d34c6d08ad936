/**
 * A provider that is an executable, asked through the whole plugin host, beside the bare start of the same program with the same input and
 * output in the same run: what rights, files, audit and bounds cost on top of a process.
 */
import { join } from "node:path";
import { execPlugin, withExecutables } from "../exec-plugin.ts";
import { tempDir } from "../harness.ts";
import { installSample, makeWorld } from "../integration/host/world.ts";
import { interleaved, median, timed, type Row } from "./measure.ts";

const CALLS = 300;
const AT_ONCE = 100;

const SCRIPTS: Readonly<Record<string, string>> = {
  sh: `#!/bin/sh\nread -r request\necho '{"ok":true,"result":"running"}'\n`,
  python: `#!/usr/bin/python3\nimport json, sys\njson.load(sys.stdin)\nprint('{"ok": true, "result": "running"}')\n`,
};

export async function benchProviders(): Promise<Row[]> {
  const rows: Row[] = [];
  for (const [language, program] of Object.entries(SCRIPTS)) rows.push(...(await beside(language, program)));
  return rows;
}

// --- internal ---

const ENVIRONMENT = { PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" };
const PARAMS = { name: "vx-web-1-1f2e3d4c" };

async function beside(language: string, program: string): Promise<Row[]> {
  await using dir = tempDir();
  const world = makeWorld(dir.path, withExecutables([], ENVIRONMENT));
  try {
    const files = new Map(execPlugin({ name: "bench", actions: [] }));
    files.set("run", { bytes: new TextEncoder().encode(program), executable: true });
    await installSample(world, files);
    const { digest } = await world.plugins.info("bench");
    const folder = world.deps.store.filesPath("bench", digest);
    const [provider] = world.plugins.providers();
    if (provider === undefined) throw new Error("no provider was installed");
    const signal = new AbortController().signal;
    const asked = async (): Promise<void> => {
      if ((await provider.ask("status", PARAMS, { signal })) !== "running") throw new Error("no answer");
    };
    const bare = () => bareCall(folder);
    for (let i = 0; i < 20; i++) await Promise.all([asked(), bare()]);
    const times = await interleaved(CALLS, { asked: () => timed(asked), bare: () => timed(bare) });
    const all = await timed(() => Promise.all(Array.from({ length: AT_ONCE }, asked)));
    return [
      { what: `${language} provider: an action`, value: median(times.asked), unit: "ms", runs: CALLS },
      {
        what: `${language}: the bare start of the same program`,
        value: median(times.bare),
        unit: "ms",
        runs: CALLS,
      },
      {
        what: `${language} provider / bare start`,
        value: median(times.asked) / median(times.bare),
        unit: "×",
        runs: CALLS,
        aim: "≤ 1.3 ×",
      },
      {
        what: `${language} provider: the status of ${AT_ONCE} instances, asked at once`,
        value: all,
        unit: "ms",
        runs: 1,
      },
    ];
  } finally {
    await world.close();
  }
}

/** As little as gives the same: its output whole, its errors, its status. */
async function bareCall(folder: string): Promise<void> {
  const child = Bun.spawn([join(folder, "run")], {
    cwd: folder,
    env: ENVIRONMENT,
    stdio: ["pipe", "pipe", "pipe"],
    detached: true,
  });
  void child.stdin.write(
    `${JSON.stringify({ action: "status", params: PARAMS, v: 1, id: "x", deadline_ms: 30_000 })}\n`,
  );
  void child.stdin.end();
  const [text] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  if ((JSON.parse(text) as { result: unknown }).result !== "running") throw new Error("no answer");
}
