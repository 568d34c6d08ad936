/**
 * `bun run demo`: the main job on real input, in a temporary folder. Starts a daemon, installs a plugin through the real
 * prompt, deploys a web app that works and one that doesn't, and shows the event, the delivery and the notification.
 */
import "./ensure-install.ts";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { engineAnswers } from "./docker-engine.ts";
import { BUN, ROOT, runSteps } from "./run.ts";

const executable = join(ROOT, "dist/voxeltron");
const app = join(ROOT, "scripts/demo/app.ts");

if (await runSteps([{ name: "build", command: [BUN, "run", "build.ts"] }])) await play();

async function play(): Promise<void> {
  // After the install above: these need the dependencies.
  const { IMAGE, importImage, removeImage } = await import("./demo/image.ts");
  const { setStage, waitFor } = await import("./demo/stage.ts");
  const onDocker = process.platform === "linux" && (await engineAnswers());
  if (onDocker) await importImage(executable, app);
  await using stage = await setStage(executable, onDocker ? "docker" : "process");
  try {
    say(
      `a daemon runs in ${stage.folder}; services run ${onDocker ? "on Docker" : "as processes (no Docker engine answers)"}`,
    );
    const source = onDocker ? ["--image", IMAGE] : ["--path", await appFolder(stage.folder)];

    say("install a plugin: nothing is granted that you do not grant");
    await show(["plugin", "install", "deploy-notifier"], ["y"]);

    say("deploy a web app; the plugin's hook runs and notifies");
    await show(["deploy", "web", ...source, "--port", "3000", "--health", "/"]);
    await show(["status"]);
    const { screen } = await stage.type(["status", "web", "--json"]);
    const { address } = JSON.parse(screen) as { address: string };
    print(`$ curl http://${address}/\n${await (await fetch(`http://${address}/`)).text()}`);
    await waitFor("the first notification", () => stage.received.length >= 1);
    print(`the webhook received: ${stage.received[0]?.title} — ${stage.received[0]?.text}\n`);

    say("deploy a version that does not start; the old one keeps running");
    await show(["deploy", "web", "--env", "BROKEN=yes"], [], 1);
    await waitFor("the second notification", () => stage.received.length >= 2);
    print(`the webhook received: ${stage.received[1]?.title} — ${stage.received[1]?.text}\n`);
    print(`$ curl http://${address}/\n${await (await fetch(`http://${address}/`)).text()}`);

    say("every event and its delivery is on record");
    await show(["events"]);
    await show(["remove", "web", "--yes"]);
  } finally {
    await stage.type(["remove", "web", "--yes"]);
    if (onDocker) await removeImage();
  }
  say("done; nothing is left behind");

  async function show(
    command: readonly string[],
    answers: readonly string[] = [],
    wanted = 0,
  ): Promise<void> {
    print(`$ voxeltron ${command.join(" ")}\n`);
    const { status, screen } = await stage.type(command, answers);
    print(screen);
    if (status !== wanted)
      throw new Error(`voxeltron ${command.join(" ")} ended with ${status}, not ${wanted}`);
  }
}

async function appFolder(folder: string): Promise<string> {
  const target = join(folder, "app");
  if (!existsSync(target)) await Bun.write(join(target, "index.ts"), Bun.file(app));
  return target;
}

function say(text: string): void {
  print(`\n— ${text}\n`);
}

function print(text: string): void {
  process.stdout.write(text);
}
