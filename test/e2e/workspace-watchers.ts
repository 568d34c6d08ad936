/** Plugins of every kind that watch workspaces, and what they saw, in order. Called by the end-to-end tests of workspaces. */
import { chmodSync, existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "bun:test";
import { execTexts } from "../exec-plugin.ts";
import type { Machine } from "./machine.ts";

export const WORKSPACE_HOOKS = ["create", "start", "stop", "destroy"].flatMap((each) => [
  `pre_${each}`,
  `post_${each}`,
]);

/** A JavaScript plugin in each of its two rooms, and an executable, whose gates wait while there is a file `hold`. */
export async function installWatchers(machine: Machine): Promise<void> {
  const folders: (readonly [folder: string, ...more: string[]])[] = [
    [machine.write("in-worker", javascript("in-worker"))],
    [machine.write("in-process", javascript("in-process")), "--isolation", "process"],
    [machine.write("on-path", executable(machine))],
  ];
  chmodSync(join(machine.folder, "on-path/run"), 0o755);
  for (const [folder, ...more] of folders) {
    const answer = await machine.cli("plugin", "install", folder, "--yes", ...more);
    expect([answer.status, answer.stderr]).toEqual([0, expect.any(String)]);
  }
}

/** "post_create shop", as each plugin was told. */
export async function seenBy(machine: Machine): Promise<Record<string, string[]>> {
  const seen: Record<string, string[]> = {};
  for (const name of ["in-worker", "in-process"])
    seen[name] = (await machine.cli("plugin", "logs", name, "--json")).stdout
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => (JSON.parse(line) as { text: string }).text)
      .filter((text) => /^(pre|post)_/.test(text));
  const file = seenFile(machine);
  seen["on-path"] = existsSync(file) ? readFileSync(file, "utf8").trimEnd().split("\n") : [];
  return seen;
}

export const holdFile = (machine: Machine): string => join(machine.folder, "hold");

/** The gate that is held has begun. */
export const askedFile = (machine: Machine): string => join(machine.folder, "asked");

// --- internal ---

const seenFile = (machine: Machine): string => join(machine.folder, "seen");

function javascript(name: string): Record<string, string> {
  return {
    "plugin.toml": `[plugin]\nname = "${name}"\nversion = "1.0.0"\ndescription = "Writes down what it sees"\ntier = 2\n\n[hooks]\n${WORKSPACE_HOOKS.map((hook) => `${hook} = true`).join("\n")}\n`,
    "index.js": `const seen = (event, ctx) => ctx.log.info(event.event + " " + event.workspace);
export default { ${WORKSPACE_HOOKS.map((hook) => `${hook}: seen`).join(", ")} };`,
  };
}

function executable(machine: Machine): Readonly<Record<string, string>> {
  return execTexts({
    name: "on-path",
    events: WORKSPACE_HOOKS,
    script: `read -r request
event=\${request#*'"event":"'}; event=\${event%%'"'*}
workspace=\${request#*'"workspace":"'}; workspace=\${workspace%%'"'*}
echo "$event $workspace" >> "${seenFile(machine)}"
case "$event" in pre_*)
  while [ -e "${holdFile(machine)}" ]; do touch "${askedFile(machine)}"; sleep 0.05; done ;;
esac
echo '{"ok": true}'`,
  });
}
