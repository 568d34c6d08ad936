/**
 * Plugins of every kind that watch workspaces, what they were told, in order, and how they are held or say no. Called by the end-to-end
 * tests of workspaces.
 */
import { chmodSync, existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "bun:test";
import { execTexts } from "../exec-plugin.ts";
import { until } from "../harness.ts";
import { ownModule } from "../wasm/modules.ts";
import type { Machine } from "./machine.ts";

export const WORKSPACE_HOOKS = ["create", "start", "stop", "destroy"].flatMap((each) => [
  `pre_${each}`,
  `post_${each}`,
]);

/** In the order in which gates ask them. */
export const WATCHERS = ["in-process", "in-wasm", "in-worker", "on-path"] as const;

/**
 * With `--env TROUBLE=yes` each says no once to every `pre_` of that workspace, and fails once in every `post_`: in the last one twice, so
 * that the next attempt is some seconds away.
 */
export const IN_TROUBLE = ["--env", "TROUBLE=yes"] as const;

/** The devbox plugin API's HookContext. */
export interface Told {
  readonly workspace: string;
  readonly event: string;
  readonly server: string;
  readonly env: Readonly<Record<string, string>>;
}

/** A JavaScript plugin in each of its two rooms, a WASM module, and an executable. */
export async function installWatchers(machine: Machine): Promise<void> {
  const module = machine.write("in-wasm", { "plugin.toml": manifest("in-wasm", 1) });
  await Bun.write(join(module, "plugin.wasm"), await ownModule("watcher"));
  const program = machine.write("on-path", executable(machine));
  chmodSync(join(program, "run"), 0o755);
  const folders: (readonly [folder: string, ...more: string[]])[] = [
    [machine.write("in-worker", javascript("in-worker"))],
    [machine.write("in-process", javascript("in-process")), "--isolation", "process"],
    [module],
    [program],
  ];
  for (const [folder, ...more] of folders) {
    const answer = await machine.cli("plugin", "install", folder, "--yes", ...more);
    expect([answer.status, answer.stderr]).toEqual([0, expect.any(String)]);
  }
}

/** What each was told of this workspace. */
export async function toldOf(machine: Machine, workspace: string): Promise<Record<string, Told[]>> {
  const told: Record<string, Told[]> = {};
  for (const name of ["in-process", "in-wasm", "in-worker"])
    told[name] = (await machine.cli("plugin", "logs", name, "--json", "--limit", "5000")).stdout
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => (JSON.parse(line) as { text: string }).text)
      .filter((text) => text.startsWith("{"))
      .map((text) => pick(JSON.parse(text) as Told));
  const file = toldFile(machine);
  told["on-path"] = (existsSync(file) ? readFileSync(file, "utf8").trimEnd().split("\n") : []).map((line) =>
    pick((JSON.parse(line) as { params: Told }).params),
  );
  for (const name of WATCHERS) told[name] = told[name]?.filter((each) => each.workspace === workspace) ?? [];
  return told;
}

/** Waits until each was told of these events of it, in this order. After a crash it may be told of one twice. */
export async function expectTold(
  machine: Machine,
  workspace: string,
  hooks: readonly string[],
): Promise<void> {
  const seen = async (): Promise<Record<string, string[]>> =>
    Object.fromEntries(
      Object.entries(await toldOf(machine, workspace)).map(([name, told]) => [
        name,
        once(told.map(({ event }) => event)),
      ]),
    );
  const wanted = once(hooks);
  const all = Object.fromEntries(WATCHERS.map((name) => [name, wanted]));
  const isWhole = async (): Promise<boolean> => Bun.deepEquals(await seen(), all);
  await until(isWhole, { timeoutMs: 20_000, what: "all to have been told of all" }).catch(() => {});
  expect(await seen()).toEqual(all);
}

/** While it is held, `on-path` does not answer to this event. Resolves as soon as it was asked. */
export function holdHook(machine: Machine, hook: string): { asked(): Promise<void>; release(): void } {
  const [hold, asked] = [join(machine.folder, "hold"), join(machine.folder, "asked")];
  rmSync(asked, { force: true });
  writeFileSync(hold, hook);
  return {
    asked: async () =>
      void (await until(() => existsSync(asked), { timeoutMs: 20_000, what: `${hook} to be told` })),
    release: () => rmSync(hold, { force: true }),
  };
}

// --- internal ---

const toldFile = (machine: Machine): string => join(machine.folder, "told");

const pick = ({ workspace, event, server, env }: Told): Told => ({ workspace, event, server, env });

function once(words: readonly string[]): string[] {
  return words.filter((word, at) => word !== words[at - 1]);
}

function manifest(name: string, tier: 1 | 2): string {
  const hooks = WORKSPACE_HOOKS.map((hook) => `${hook} = true`).join("\n");
  // What the test modules share imports these, and the watcher calls none of them.
  const more = tier === 1 ? `\n[capabilities]\noptional = ["notify_send", "network_outbound"]\n` : "";
  return `[plugin]\nname = "${name}"\nversion = "1.0.0"\ndescription = "Writes down what it sees"\ntier = ${tier}\n${more}\n[hooks]\n${hooks}\n`;
}

function javascript(name: string): Record<string, string> {
  return {
    "plugin.toml": manifest(name, 2),
    "index.js": `async function watch(event, ctx) {
  ctx.log.info(JSON.stringify(event));
  if (event.env.TROUBLE === undefined) return;
  const key = event.event + " " + event.workspace;
  const count = ((await ctx.kv.get(key)) ?? 0) + 1;
  await ctx.kv.set(key, count);
  if (count <= (event.event === "post_destroy" ? 2 : 1)) throw new Error("${name} says no to " + event.event);
}
export default { ${WORKSPACE_HOOKS.map((hook) => `${hook}: watch`).join(", ")} };`,
  };
}

function executable({ folder }: Machine): Readonly<Record<string, string>> {
  return execTexts({
    name: "on-path",
    events: WORKSPACE_HOOKS,
    script: `read -r request
printf '%s\\n' "$request" >> "${folder}/told"
event=\${request#*'"event":"'}; event=\${event%%'"'*}
workspace=\${request#*'"workspace":"'}; workspace=\${workspace%%'"'*}
while [ "$(cat "${folder}/hold" 2>/dev/null)" = "$event" ]; do touch "${folder}/asked"; sleep 0.05; done
case "$request" in *'"TROUBLE":'*)
  times=1; [ "$event" = post_destroy ] && times=2
  echo x >> "${folder}/count-$event-$workspace"
  if [ "$(wc -l < "${folder}/count-$event-$workspace")" -le $times ]; then
    echo '{"ok": false, "error": "on-path says no to '"$event"'"}'; exit
  fi ;;
esac
echo '{"ok": true}'`,
  });
}
