/** Writes down each event of a workspace that it is told of, and makes trouble where that is asked for: see test/e2e/workspace-watchers.ts. */
import { Host } from "@extism/as-pdk";
import { log_info } from "@extism/as-pdk/lib/env";
import { ask, blockOf, findText, quote, refuse, textOf } from "./host";

export function pre_create(): i32 {
  return watch();
}

export function post_create(): i32 {
  return watch();
}

export function pre_start(): i32 {
  return watch();
}

export function post_start(): i32 {
  return watch();
}

export function pre_stop(): i32 {
  return watch();
}

export function post_stop(): i32 {
  return watch();
}

export function pre_destroy(): i32 {
  return watch();
}

export function post_destroy(): i32 {
  return watch();
}

// --- internal ---

function watch(): i32 {
  const input = Host.input();
  log_info(blockOf(textOf(input, 0, input.length)));
  const trouble = findText(input, "TROUBLE");
  if (trouble == "") return 0;
  const event = findText(input, "event");
  const key = '{"key":' + quote(event + " " + findText(input, "workspace"));
  const answer = ask("kv.get", key + "}");
  // `{"result":1}`, or null where there is nothing yet.
  const known = textOf(answer, 10, answer.length - 1);
  const count = known == "null" ? 1 : <i32>parseInt(known) + 1;
  ask("kv.set", key + ',"value":' + count.toString() + "}");
  const times = event == "post_destroy" ? 2 : 1;
  return count <= times ? refuse("in-wasm says no to " + event) : 0;
}
