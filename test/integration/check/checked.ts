/** Runs `plugin check` on a folder as an author would, with a place of its own for what the plugin keeps. Called by the tests beside it. */
import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { PluginReport } from "../../../src/api/offline.ts";
import { cliCommand, textOf } from "../cli/run-cli.ts";

export interface CheckRun {
  readonly report: PluginReport;
  readonly stdout: string;
  readonly stderr: string;
  readonly status: number;
}

/** Executables are those files whose text begins with #!. */
export function writePlugin(root: string, files: Readonly<Record<string, string | Uint8Array>>): string {
  const folder = join(root, "plugin");
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), content);
    if (typeof content === "string" && content.startsWith("#!")) chmodSync(join(folder, path), 0o755);
  }
  return folder;
}

/** `place` is its $TMPDIR, and its $HOME unless it needs another. */
export async function runCheck(
  folder: string,
  place: string,
  args: readonly string[] = ["--yes"],
  command: readonly string[] = cliCommand([]),
  home = place,
): Promise<CheckRun> {
  const temporary = join(place, "tmp");
  mkdirSync(temporary, { recursive: true });
  const child = Bun.spawn([...command, "plugin", "check", folder, "--json", ...args], {
    env: { PATH: process.env["PATH"] ?? "", HOME: home, TMPDIR: temporary, NO_COLOR: "1" },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const [stdout, stderr, status] = await Promise.all([
    textOf(child.stdout),
    textOf(child.stderr),
    child.exited,
  ]);
  return { report: (stdout === "" ? undefined : JSON.parse(stdout)) as PluginReport, stdout, stderr, status };
}

/** Command lines of what runs with this folder as its place. */
export function leftIn(place: string): string[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        const isOurs = readFileSync(`/proc/${pid}/environ`, "latin1").includes(
          `TMPDIR=${join(place, "tmp")}\0`,
        );
        return isOurs ? [readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ")] : [];
      } catch {
        return [];
      }
    });
}
