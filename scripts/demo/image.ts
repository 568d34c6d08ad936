/**
 * An image for the demo, made without a registry: the executable, the C library that it needs, and the app. Imported into
 * the engine as one layer. Called by demo.ts where a Docker engine answers.
 */
import { readFileSync, realpathSync } from "node:fs";
import { pack } from "tar-stream";
import { ENGINE_SOCKET } from "../docker-engine.ts";

export const IMAGE = "voxeltron-demo:1";

export async function importImage(executable: string, app: string): Promise<void> {
  const tar = pack();
  const files = [
    { name: "voxeltron", from: executable, mode: 0o755 },
    { name: "app/index.ts", from: app, mode: 0o644 },
    ...librariesOf(executable).map((path) => ({
      name: path.slice(1),
      from: realpathSync(path),
      mode: 0o755,
    })),
  ];
  for (const { name, from, mode } of files) tar.entry({ name, mode }, readFileSync(from));
  tar.finalize();
  const changes = ["ENV BUN_BE_BUN=1", 'CMD ["/voxeltron","run","/app/index.ts"]'];
  const query = new URLSearchParams([
    ["fromSrc", "-"],
    ["repo", "voxeltron-demo"],
    ["tag", "1"],
    ...changes.map((change) => ["changes", change]),
  ]);
  const body = Buffer.concat(await Array.fromAsync(tar as AsyncIterable<Buffer>));
  const answer = await fetch(`http://engine/images/create?${query}`, {
    unix: ENGINE_SOCKET,
    method: "POST",
    body,
  });
  const text = await answer.text();
  if (!answer.ok || text.includes('"error"'))
    throw new Error(`the engine did not take the image: ${text.trim()}`);
}

export async function removeImage(): Promise<void> {
  await fetch(`http://engine/images/${IMAGE}?force=true`, { unix: ENGINE_SOCKET, method: "DELETE" });
}

/** Absolute paths that the dynamic loader names for a program. */
function librariesOf(executable: string): string[] {
  const { stdout } = Bun.spawnSync(["ldd", executable]);
  return [...stdout.toString().matchAll(/(\/[^\s()]+)/g)]
    .map((match) => match[1] ?? "")
    .filter((path) => path !== executable);
}
