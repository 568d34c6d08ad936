/**
 * What Extism's public test modules do, and what a hostile one would, chosen by the event's message: `vowels TEXT`, `output 1000000000` …
 * A command that comes back answers with what it did; behaviours.test.ts says what a room makes of it.
 */
import { Config, Host, Var } from "@extism/as-pdk";
import {
  alloc,
  error_set,
  free,
  length,
  load_u64,
  load_u8,
  log_error,
  log_info,
  output_set,
  store_u64,
  store_u8,
} from "@extism/as-pdk/lib/env";
import { blockOf, findText, kvGet, quote, utf8 } from "./host";

export function on_alert(): i32 {
  const message = findText(Host.input(), "message");
  const space = message.indexOf(" ");
  const word = space < 0 ? message : message.substring(0, space);
  const rest = space < 0 ? "" : message.substring(space + 1);
  if (word == "return") return <i32>parseInt(rest);
  if (word == "error") return failWith(rest);
  const answer = plain(word, rest);
  Host.output(utf8(answer == "" ? hostile(word, <i64>parseFloat(rest)) : answer));
  return 0;
}

/** Fails with the text that was set, and no number that says so. */
export function on_backup_complete(): i32 {
  error_set(blockOf("an error, and yet 0"));
  return 0;
}

// --- internal ---

function failWith(rest: string): i32 {
  const words = rest.split(" ");
  error_set(blockOf(words.slice(1).join(" ")));
  return <i32>parseInt(words[0]);
}

/** Empty where it is none of these. */
function plain(word: string, rest: string): string {
  if (word == "echo") return quote(rest);
  if (word == "vowels") return countVowels(rest);
  if (word == "config") return text(Config.get(rest));
  if (word == "var") return text(Var.getString(rest));
  if (word == "set") {
    const words = rest.split(" ");
    Var.set(words[0], utf8(words[1]));
    return "null";
  }
  if (word == "log") {
    log_info(blockOf(rest));
    return "null";
  }
  return "";
}

function text(found: string | null): string {
  return found === null ? "null" : quote(found);
}

/** The example that every PDK has: counts, keeps a total in a variable, and takes what a vowel is from the configuration. */
function countVowels(rest: string): string {
  const configured = Config.get("vowels");
  const vowels = configured === null ? "aeiouAEIOU" : configured;
  let count = 0;
  for (let i = 0; i < rest.length; i++) if (vowels.includes(rest.charAt(i))) count++;
  const before = Var.getString("total");
  const total = count + (before === null ? 0 : <i32>parseInt(before));
  Var.set("total", utf8(total.toString()));
  return '{"count":' + count.toString() + ',"total":' + total.toString() + ',"vowels":' + quote(vowels) + "}";
}

/** `n` says how much, how often or where. */
function hostile(word: string, n: i64): string {
  if (word == "trap") unreachable();
  if (word == "divide") return (1 / <i32>n).toString();
  if (word == "loop") for (;;) spins++;
  if (word == "recurse") return deeper(0).toString();
  if (word == "pages") return memory.grow(<i32>n).toString();
  if (word == "fill") return fill(<i32>n);
  if (word == "address") return load<u8>(<usize>n).toString();
  if (word == "alloc") return alloc(n).toString();
  if (word == "leak") return leak(<i32>n, 1 << 20);
  if (word == "blocks") return leak(<i32>n, 1);
  if (word == "free") free(n);
  else if (word == "length") return length(n).toString();
  else if (word == "load") return load_u8(n).toString();
  else if (word == "load8") return load_u64(n).toString();
  else if (word == "store") store_u8(n, 1);
  else if (word == "store8") store_u64(n, 1);
  else if (word == "beyond") store_u64(alloc(8) + n, 1);
  else if (word == "output") output_set(alloc(8), n);
  else if (word == "outputAt") output_set(n, 8);
  else if (word == "errorAt") error_set(n);
  else if (word == "logAt") log_info(n);
  else if (word == "configAt") return text(Config.get(String.fromCharCode(<i32>n)));
  else if (word == "ask") return kvGet(n).toString();
  else if (word == "vars") return vars(<i32>n);
  else if (word == "logs") for (let i: i64 = 0; i < n; i++) log_error(blockOf("line " + i.toString()));
  else if (word == "logBig") log_info(blockOf("x".repeat(<i32>n)));
  return '"done"';
}

let spins: u64 = 0;

function deeper(level: i32): i32 {
  spins++;
  return deeper(level + 1) + level;
}

/** Takes all of the linear memory that it gets, touches it, and says how many pages there are then. */
function fill(pages: i32): string {
  let taken = 0;
  while (taken < pages) {
    const start = memory.grow(1);
    if (start < 0) break;
    memory.fill(<usize>start << 16, 1, 1 << 16);
    taken++;
  }
  return '{"pages":' + memory.size().toString() + "}";
}

function leak(times: i32, bytes: u64): string {
  let last: u64 = 0;
  for (let i = 0; i < times; i++) {
    last = alloc(bytes);
    store_u8(last, 1);
  }
  return last.toString();
}

function vars(mebibytes: i32): string {
  const value = new Uint8Array(1 << 20);
  for (let i = 0; i < mebibytes; i++) Var.set("v" + i.toString(), value);
  return mebibytes.toString();
}
