/**
 * The conformance plugin in AssemblyScript: performs the program that comes as the event's message, a command a line, and gives each
 * line's answer. What the commands mean is written in test/conformance/program.ts.
 */
import { Config, Host, LogLevel, Var } from "@extism/as-pdk";
import { log_debug, log_error, log_info, log_warn } from "@extism/as-pdk/lib/env";
import { ask, askWith, blockOf, findText, quote, refuse, utf8 } from "./host";

export function on_alert(): i32 {
  return run("on_alert");
}

export function on_deploy_success(): i32 {
  return run("on_deploy_success");
}

// --- internal ---

let calls = 0;
let hook = "";
let event = new Uint8Array(0);
/** Why the line that is performed has no answer. */
let failure: string | null = null;

function run(name: string): i32 {
  hook = name;
  event = Host.input();
  failure = null;
  const lines = findText(event, "message").split("\n");
  const answers: Uint8Array[] = [];
  for (let i = 0; i < lines.length; i++) {
    const answer = perform(lines[i]);
    const reason = failure;
    if (reason !== null) return refuse(reason);
    answers.push(answer);
  }
  const answer = lines.length == 1 ? answers[0] : listOf(answers);
  if (answer.length > 0) Host.output(answer);
  return 0;
}

function perform(line: string): Uint8Array {
  const space = line.indexOf(" ");
  const word = space < 0 ? line : line.substring(0, space);
  const rest = space < 0 ? "" : line.substring(space + 1);
  if (word == "echo") return event;
  if (word == "call") return callHost(rest);
  if (word == "repeat") return repeat(rest);
  if (word == "big") return big("", rest, "");
  if (word == "store") return askWith("kv.set", big('{"key":"big","value":', rest, "}"));
  return utf8(answerTo(word, rest));
}

/** Commands whose answer is a text of JSON. */
function answerTo(word: string, rest: string): string {
  if (word == "length") return event.length.toString();
  if (word == "hook") return quote(hook);
  if (word == "count") return (++calls).toString();
  if (word == "say") return quote(rest);
  if (word == "raw") return rest;
  if (word == "nothing") return "";
  if (word == "deep") return "[".repeat(<i32>parseInt(rest)) + "]".repeat(<i32>parseInt(rest));
  if (word == "wide") return "[0" + ",0".repeat(<i32>parseInt(rest) - 1) + "]";
  if (word == "throw") failure = rest;
  else if (word == "log") log(rest);
  else if (word == "config") return textOrNull(Config.get(rest));
  else if (word == "var") return variable(rest);
  else if (word == "loop") loop();
  else if (word == "recurse") return deeper(0).toString();
  else if (word == "grow") return grow(<i32>parseInt(rest)).toString();
  else if (word == "trap") unreachable();
  else failure = "the AssemblyScript plugin has no such command";
  return "null";
}

function callHost(rest: string): Uint8Array {
  const space = rest.indexOf(" ");
  const answer = ask(rest.substring(0, space), rest.substring(space + 1));
  if (answer.length == 0) failure = "no such method";
  return answer;
}

function repeat(rest: string): Uint8Array {
  const space = rest.indexOf(" ");
  const times = <i32>parseInt(rest.substring(0, space));
  let answer = new Uint8Array(0);
  for (let i = 0; i < times; i++) answer = callHost(rest.substring(space + 1));
  return answer;
}

function log(rest: string): void {
  const space = rest.indexOf(" ");
  const level = rest.substring(0, space);
  const block = blockOf(rest.substring(space + 1));
  if (level == "debug") log_debug(block);
  else if (level == "info") log_info(block);
  else if (level == "warn") log_warn(block);
  else log_error(block);
}

function variable(rest: string): string {
  const words = rest.split(" ");
  if (words[0] == "get") return textOrNull(Var.getString(words[1]));
  if (words[0] == "set") Var.set(words[1], utf8(words.slice(2).join(" ")));
  else Var.remove(words[1]);
  return "null";
}

function textOrNull(text: string | null): string {
  return text === null ? "null" : quote(text);
}

/** As bytes: as a text of the language it would have twice the size, and each piece on the way once more. */
function big(before: string, rest: string, after: string): Uint8Array {
  const start = utf8(before + '"');
  const end = utf8('"' + after);
  const characters = <i32>parseInt(rest);
  const bytes = new Uint8Array(start.length + characters + end.length);
  bytes.set(start);
  bytes.fill(0x78, start.length, start.length + characters);
  bytes.set(end, start.length + characters);
  return bytes;
}

function listOf(answers: Uint8Array[]): Uint8Array {
  let length = 1;
  for (let i = 0; i < answers.length; i++) length += max(answers[i].length, 4) + 1;
  const list = new Uint8Array(length);
  let at = 0;
  for (let i = 0; i < answers.length; i++) {
    list[at++] = i == 0 ? 0x5b : 0x2c;
    const answer = answers[i].length == 0 ? utf8("null") : answers[i];
    list.set(answer, at);
    at += answer.length;
  }
  list[at++] = 0x5d;
  return list.subarray(0, at);
}

function loop(): void {
  while (true) spins++;
}

let spins: u64 = 0;

function deeper(level: i32): i32 {
  spins++;
  return deeper(level + 1) + level;
}

/** Kept, so that nothing of it can be collected. */
const kept: Uint8Array[] = [];

function grow(mebibytes: i32): i32 {
  for (let i = 0; i < mebibytes; i++) kept.push(new Uint8Array(1 << 20).fill(1));
  return mebibytes;
}
