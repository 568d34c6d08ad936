/** What both AssemblyScript plugins need of their host beyond the PDK: the broker's methods, texts as JSON, and a loud end. */
import { Host, Memory } from "@extism/as-pdk";
import { error_set } from "@extism/as-pdk/lib/env";

@external("extism:host/user", "kv_get") declare function kv_get(params: u64): u64;
@external("extism:host/user", "kv_set") declare function kv_set(params: u64): u64;
@external("extism:host/user", "kv_delete") declare function kv_delete(params: u64): u64;
@external("extism:host/user", "kv_list") declare function kv_list(params: u64): u64;
@external("extism:host/user", "notify_send") declare function notify_send(params: u64): u64;
@external("extism:host/user", "net_fetch") declare function net_fetch(params: u64): u64;
@external("extism:host/env", "length") declare function block_length(block: u64): u64;

/** Asks the broker: JSON in, JSON out. Empty where there is no such method. */
export function ask(method: string, params: string): Uint8Array {
  return askWith(method, utf8(params));
}

export function askWith(method: string, params: Uint8Array): Uint8Array {
  const block = blockWith(params);
  if (method == "kv.get") return bytesIn(kv_get(block));
  if (method == "kv.set") return bytesIn(kv_set(block));
  if (method == "kv.delete") return bytesIn(kv_delete(block));
  if (method == "kv.list") return bytesIn(kv_list(block));
  if (method == "notify.send") return bytesIn(notify_send(block));
  if (method == "net.fetch") return bytesIn(net_fetch(block));
  return new Uint8Array(0);
}

/** Asks with an offset that may be any. */
export function kvGet(params: u64): u64 {
  return kv_get(params);
}

/** The PDK's own functions store byte by byte, or take a text's characters for its bytes. */
export function blockOf(text: string): u64 {
  return blockWith(utf8(text));
}

function blockWith(bytes: Uint8Array): u64 {
  const memory = Memory.allocate(bytes.length);
  memory.store(bytes);
  return memory.offset;
}

export function refuse(reason: string): i32 {
  error_set(blockOf(reason));
  return 1;
}

export function utf8(text: string): Uint8Array {
  return Uint8Array.wrap(String.UTF8.encode(text));
}

export function textOf(bytes: Uint8Array, from: i32, to: i32): string {
  return String.UTF8.decodeUnsafe(bytes.dataStart + from, to - from);
}

/** The first text in a JSON object under this name. */
export function findText(json: Uint8Array, name: string): string {
  const start = utf8('"' + name + '":"');
  for (let i = 0; i + start.length <= json.length; i++) {
    let j = 0;
    while (j < start.length && json[i + j] == start[j]) j++;
    if (j == start.length) return unquote(json, i + j);
  }
  return "";
}

export function quote(text: string): string {
  const parts: string[] = ['"'];
  let plain = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code >= 0x20 && code != QUOTE && code != BACKSLASH) continue;
    parts.push(text.substring(plain, i));
    parts.push(code >= 0x20 ? "\\" + String.fromCharCode(code) : "\\u00" + (code < 16 ? "0" : "") + code.toString(16));
    plain = i + 1;
  }
  parts.push(text.substring(plain));
  parts.push('"');
  return parts.join("");
}

/** What the runtime calls when it can't go on (`--use abort=`). */
export function end(message: string | null, file: string | null, line: u32, column: u32): void {
  refuse(message === null ? "aborted" : message);
  unreachable();
}

// --- internal ---

const QUOTE: i32 = 0x22;
const BACKSLASH: i32 = 0x5c;

function bytesIn(block: u64): Uint8Array {
  return new Memory(block, block_length(block)).toUint8Array();
}

/** The text that begins here and goes to the next quote, without its escapes. */
function unquote(json: Uint8Array, from: i32): string {
  const parts: string[] = [];
  let plain = from;
  let i = from;
  while (json[i] != QUOTE) {
    if (json[i] != BACKSLASH) {
      i++;
      continue;
    }
    parts.push(textOf(json, plain, i));
    const escape = json[i + 1];
    if (escape == 0x75) {
      parts.push(String.fromCharCode(<i32>parseInt(textOf(json, i + 2, i + 6), 16)));
      i += 6;
    } else {
      parts.push(unescape(escape));
      i += 2;
    }
    plain = i;
  }
  parts.push(textOf(json, plain, i));
  return parts.join("");
}

function unescape(escape: u8): string {
  if (escape == 0x6e) return "\n";
  if (escape == 0x74) return "\t";
  if (escape == 0x72) return "\r";
  if (escape == 0x62) return "\b";
  if (escape == 0x66) return "\f";
  return String.fromCharCode(escape);
}
