/** The demo's stage: a daemon in a temporary folder, a receiver of webhooks, and a terminal in which commands are typed. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { typeInto } from "./terminal.ts";

export interface Stage extends AsyncDisposable {
  readonly folder: string;
  /** Notifications that arrived, oldest first. */
  readonly received: readonly { readonly title?: string; readonly text?: string }[];
  /** Types a command into a terminal and answers its questions; gives the exit status and what was on the screen. */
  type(command: readonly string[], answers?: readonly string[]): Promise<{ status: number; screen: string }>;
}

export async function setStage(executable: string, provider: string): Promise<Stage> {
  const folder = mkdtempSync(join(tmpdir(), "voxeltron-demo-"));
  const received: { title?: string; text?: string }[] = [];
  const receiver = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    async fetch(request) {
      received.push((await request.json()) as { title?: string; text?: string });
      return new Response("ok");
    },
  });
  const config = join(folder, "config.toml");
  writeFileSync(
    config,
    `data_dir = "${folder}/data"
[providers]
default = "${provider}"
[notify.deploys]
type = "webhook"
url = "http://127.0.0.1:${receiver.port}/deploys"
`,
  );
  const environment = {
    PATH: process.env["PATH"] ?? "",
    HOME: folder,
    NO_COLOR: "1",
    VOXELTRON_CONFIG: config,
  };
  const log = Bun.file(join(folder, "daemon.log"));
  const daemon = Bun.spawn([executable, "daemon"], {
    env: environment,
    stdin: "ignore",
    stdout: log,
    stderr: log,
  });
  const stage: Stage = {
    folder,
    received,
    type: (command, answers = []) => typeInto([executable, ...command], answers, environment),
    async [Symbol.asyncDispose]() {
      daemon.kill("SIGTERM");
      await daemon.exited;
      await receiver.stop(true);
      rmSync(folder, { recursive: true, force: true });
    },
  };
  try {
    await waitFor(
      "the daemon",
      async () => daemon.exitCode !== null || (await stage.type(["daemon", "info"])).status === 0,
    );
    if (daemon.exitCode !== null) throw new Error(`the daemon ended: ${await log.text()}`);
  } catch (error) {
    await stage[Symbol.asyncDispose]();
    throw error;
  }
  return stage;
}

/** Asks until it is so; fails after half a minute. */
export async function waitFor(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
  const end = performance.now() + 30_000;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`waited in vain for ${what}`);
    await Bun.sleep(50);
  }
}
