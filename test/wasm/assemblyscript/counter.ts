/** Counts how often it was told of each event, in its own store: what test/e2e/reload.test.ts looks at afterwards. */
import { Host } from "@extism/as-pdk";
import { ask, findText, quote, textOf } from "./host";

export function on_deploy_start(): i32 {
  return count();
}

export function on_deploy_fail(): i32 {
  return count();
}

// --- internal ---

function count(): i32 {
  const key = '{"key":' + quote(findText(Host.input(), "id"));
  const answer = ask("kv.get", key + "}");
  // `{"result":7}`, or null where there is nothing yet.
  const known = textOf(answer, 10, answer.length - 1);
  const before = known == "null" ? 0 : <i32>parseInt(known);
  ask("kv.set", key + ',"value":' + (before + 1).toString() + "}");
  return 0;
}
