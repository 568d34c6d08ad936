/**
 * All that `plugin check` looks at, in one table, in the order of the report: what it is about, what is wanted, and what an author does
 * about it. The report, --only and docs/plugin-check.md are made from it; a result that is no row here can't be written down. Pure.
 */

export type PluginKind = "js" | "wasm" | "hook" | "provider";

export interface Check {
  readonly kinds: readonly PluginKind[];
  /** One line of the report; what it was done with stands behind it. */
  readonly title: string;
  /** Completes "wanted: …". */
  readonly wanted: string;
  readonly advice: string;
}

const ALL = ["js", "wasm", "hook", "provider"] as const;
const WALLED = ["js", "wasm"] as const;
const HOOKED = ["js", "wasm", "hook"] as const;
const PROGRAM = ["hook", "provider"] as const;
const PROVIDER = ["provider"] as const;

const table = {
  "manifest.valid": {
    kinds: ALL,
    title: "the manifest can be read",
    wanted: "a manifest with all that it must have, and nothing that is not known",
    advice: "mend the line that is named",
  },
  "manifest.files": {
    kinds: ALL,
    title: "the files are those that the manifest names",
    wanted: "the file that is run, of the right kind, and no more than is taken",
    advice: "add the file, or name another in the manifest",
  },
  "manifest.hooks": {
    kinds: HOOKED,
    title: "the manifest names what it is called for",
    wanted: "at least one hook or event, and a name for each function that is there",
    advice: "name them under [hooks] in plugin.toml, or under events in plugin.yaml",
  },
  "code.loads": {
    kinds: WALLED,
    title: "the code loads",
    wanted: "code that can be bundled, and that loads in the room that it runs in",
    advice: "mend what the message names; docs/plugins.md and docs/wasm.md say what there is",
  },
  "code.handlers": {
    kinds: WALLED,
    title: "there is a function for each hook",
    wanted:
      "a function of the default export, or an export of the module, for each hook that the manifest names",
    advice: "add the function, or take the hook out of [hooks]",
  },
  "hook.sample": {
    kinds: HOOKED,
    title: "runs with a sample event",
    wanted: "an end without an error, within its time",
    advice: "try it with an event of your own: voxeltron plugin call NAME HOOK --event FILE",
  },
  "hook.again": {
    kinds: HOOKED,
    title: "runs again with the same event",
    wanted: "no failure: after a crash the same event comes a second time, with the same id",
    advice: "remember the event's id, and do nothing where it was seen before",
  },
  "hook.unusual": {
    kinds: HOOKED,
    title: "runs with an unusual event",
    wanted: "no failure over fields that it doesn't know, texts in any script, quotes, and long values",
    advice: "pass over what you don't know, and treat texts as UTF-8",
  },
  "hook.without_optional": {
    kinds: WALLED,
    title: "runs without its optional capabilities",
    wanted: "no failure: the operator may leave out what is under optional",
    advice: "catch the error with the code capability.denied, or make the capability required",
  },
  "capabilities.used": {
    kinds: WALLED,
    title: "uses what it asks for",
    wanted: "a use of each capability; with sample events some may stay unused for good reasons",
    advice: "do not ask for what you don't need: an operator has to grant it",
  },
  "capabilities.asked": {
    kinds: WALLED,
    title: "asks for what it uses",
    wanted: "no call for which its manifest does not ask: that is never granted",
    advice: "name the capability, and its scope, under [capabilities] in plugin.toml",
  },
  "call.answers": {
    kinds: PROGRAM,
    title: "starts and answers",
    wanted:
      'one JSON object on standard output, {"ok": true, …} or {"ok": false, "error": "…"}, and the end of the program',
    advice: "write logs to standard error, the answer alone to standard output, then exit with 0",
  },
  "call.pieces": {
    kinds: PROGRAM,
    title: "reads a request that comes in pieces",
    wanted: "the same as with a request that comes at once",
    advice: "read until the end of the line or of the input, not just once",
  },
  "call.large": {
    kinds: PROGRAM,
    title: "reads a large request",
    wanted: "an answer to a request of one megabyte: more than a pipe holds",
    advice: "read all of standard input before you answer, with no bound of your own",
  },
  "call.large_answer": {
    kinds: PROGRAM,
    title: "can be read slowly",
    wanted: "the whole answer, also where it is taken out of the pipe late",
    advice: "wait until all is written before you exit",
  },
  "call.unknown_fields": {
    kinds: PROGRAM,
    title: "passes over fields that it doesn't know",
    wanted: "the same answer: more fields may come",
    advice: "do not refuse a request for a field that you don't know",
  },
  "call.unknown_action": {
    kinds: PROGRAM,
    title: "refuses an action that it doesn't know",
    wanted: '{"ok": false, "error": "unknown action: …"}',
    advice: "look at action first, and answer so to all that you don't know",
  },
  "call.cut_off": {
    kinds: PROGRAM,
    title: "ends where the request is cut off",
    wanted: "its end, without ok: true, where the input ends in the middle of the request",
    advice: 'answer {"ok": false} where the request is no JSON, or exit with another status than 0',
  },
  "life.create": {
    kinds: PROVIDER,
    title: "create",
    wanted: "ok: true; the instance is made and does not run",
    advice: "an image that your provider has can be named with --image",
  },
  "life.created": {
    kinds: PROVIDER,
    title: "status after create",
    wanted: "created, or stopped or exited where there is no such word",
    advice: "create does not start",
  },
  "life.start": { kinds: PROVIDER, title: "start", wanted: "ok: true", advice: "its error says why" },
  "life.running": {
    kinds: PROVIDER,
    title: "status after start",
    wanted: "running",
    advice: "answer start when it runs, and let it live on: not in your own process group",
  },
  "life.stop": { kinds: PROVIDER, title: "stop", wanted: "ok: true", advice: "its error says why" },
  "life.stopped": {
    kinds: PROVIDER,
    title: "status after stop",
    wanted: "stopped, exited, created or dead",
    advice: "answer stop when it has ended",
  },
  "life.destroy": { kinds: PROVIDER, title: "destroy", wanted: "ok: true", advice: "its error says why" },
  "life.gone": {
    kinds: PROVIDER,
    title: "status after destroy",
    wanted: "missing",
    advice: "look for it where it would be, and answer missing where it is not",
  },
  "order.status_missing": {
    kinds: PROVIDER,
    title: "status of one that never was",
    wanted: "missing",
    advice: 'answer {"ok": true, "result": "missing"}: an error says that it can\'t be known',
  },
  "order.start_missing": {
    kinds: PROVIDER,
    title: "start of one that never was",
    wanted: '{"ok": false, "error": "…"}',
    advice: "what is not there can't be started: say so",
  },
  "order.stop_missing": {
    kinds: PROVIDER,
    title: "stop of one that never was",
    wanted: "an answer, whichever",
    advice: "answer ok: true, or an error; do not crash",
  },
  "order.destroy_missing": {
    kinds: PROVIDER,
    title: "destroy of one that never was",
    wanted: "an answer, whichever",
    advice: "answer ok: true, or an error; do not crash",
  },
  "order.create_twice": {
    kinds: PROVIDER,
    title: "create twice",
    wanted: "an answer, whichever, and the first one as it was",
    advice: "refuse the second one with an error, and leave the first one alone",
  },
  "order.start_twice": {
    kinds: PROVIDER,
    title: "start twice",
    wanted: "an answer, whichever, and it runs on",
    advice: "answer ok: true where it runs already",
  },
  "order.stop_twice": {
    kinds: PROVIDER,
    title: "stop twice",
    wanted: "an answer, whichever, and it stays stopped",
    advice: "answer ok: true where it is stopped already",
  },
  "order.start_again": {
    kinds: PROVIDER,
    title: "start after stop",
    wanted: "ok: true, and running again",
    advice: "what is stopped can be started again, as it was created",
  },
  "order.destroy_twice": {
    kinds: PROVIDER,
    title: "destroy twice",
    wanted: "an answer, whichever, and it stays missing",
    advice: "answer ok: true where it is gone already",
  },
  "order.destroy_running": {
    kinds: PROVIDER,
    title: "destroy while it runs",
    wanted: "ok: true, and missing after that",
    advice: "stop it first, yourself",
  },
  "order.create_again": {
    kinds: PROVIDER,
    title: "create with the name of one that was destroyed",
    wanted: "ok: true",
    advice: "destroy all that belongs to it, so that its name is free again",
  },
  "options.create": {
    kinds: PROVIDER,
    title: "create with all that can be asked for",
    wanted:
      "ok: true with ports, env in any script, cpus, memory, volumes and command; or an error that names what can't be had",
    advice: "pass them on as they are: env values may hold anything but NUL",
  },
  "options.names": {
    kinds: PROVIDER,
    title: "status of a name in another script",
    wanted: "missing, or an error",
    advice: "treat names as UTF-8, and never as part of a command line",
  },
  "options.logs": {
    kinds: PROVIDER,
    title: "logs",
    wanted: 'a text, or {"lines": [{"text"}], "position"?}',
    advice: "docs/exec.md has the shapes",
  },
  "options.stats": {
    kinds: PROVIDER,
    title: "stats",
    wanted: 'numbers: {"cpu_seconds", "memory_bytes", …}',
    advice: "docs/exec.md has the shapes",
  },
  "options.exec": {
    kinds: PROVIDER,
    title: "exec",
    wanted: "the command's own exit status, output and input",
    advice: "run the list of words as it is, without a shell; docs/exec.md has the shapes",
  },
  "options.arrives": {
    kinds: PROVIDER,
    title: "what was asked for arrives",
    wanted: "the value of env, and the file of the folder that was mounted, as they are outside",
    advice: "pass on what create was given, or refuse it: nothing is left out silently",
  },
  "options.undeclared": {
    kinds: PROVIDER,
    title: "refuses an optional action that it doesn't declare",
    wanted: '{"ok": false, "error": "unknown action: …"}',
    advice: "list it under actions in plugin.yaml, or refuse it",
  },
  "traces.group": {
    kinds: PROGRAM,
    title: "leaves nothing running behind a call",
    wanted: "no process of its group once it has ended: what is left there is ended with it",
    advice: "wait for what you start; an instance that lives on gets a session of its own (setsid)",
  },
  "traces.processes": {
    kinds: PROGRAM,
    title: "leaves no process at the end",
    wanted: "no process that it started: a hook's after its call, a provider's after destroy",
    advice: "end what you start",
  },
  "traces.files": {
    kinds: PROGRAM,
    title: "leaves its folder as it is",
    wanted: "no new, changed or removed file: that is taken for tampering, and it would not run again",
    advice: "write to $HOME or $TMPDIR",
  },
  "traces.instances": {
    kinds: PROVIDER,
    title: "leaves no instance",
    wanted: "each instance of this check destroyed at its end",
    advice: "remove what is named by hand",
  },
} as const satisfies Record<string, Check>;

export type CheckId = keyof typeof table;

export const CHECKS: Readonly<Record<CheckId, Check>> = table;

export const CHECK_IDS = Object.keys(table) as readonly CheckId[];

/** `life` of `life.create`: what belongs together in the report. */
export function groupOf(check: CheckId): string {
  return check.slice(0, check.indexOf("."));
}

export const GROUPS: Readonly<Record<string, string>> = {
  manifest: "Manifest and files",
  code: "Code",
  hook: "Hooks",
  capabilities: "Capabilities",
  call: "Calls of the program",
  life: "The life of an instance",
  order: "Out of order",
  options: "What can be asked for",
  traces: "What it leaves behind",
};
