/**
 * What the guest's language lacks, done by the host: text encoding, base64, URLs, random values, digests, the clock. Pure data
 * in, pure data out; nothing here reaches a file, a socket or the daemon. Arguments come from the guest and may be anything;
 * what throws is answered with nothing. Runs beside the guest; called by guest-desk.ts.
 */
import { LIMITS } from "../../../base/limits.ts";
import {
  monotonicNow,
  NativeHasher,
  NativeTextDecoder,
  NativeTextEncoder,
  NativeURL,
  parseJson,
  randomId,
  randomValues,
  stringifyJson,
} from "./natives.ts";
import { mapStack, type StackMap } from "./stack-map.ts";

/** Text and buffers from the guest; `undefined` where it gave something else. */
export type Operation = (
  text: string,
  bytes: Uint8Array<ArrayBuffer>,
  second: string,
) => string | ArrayBuffer | undefined;

export function makeHostOperations(
  stackMap: () => StackMap | undefined,
): Readonly<Record<string, Operation>> {
  return {
    "utf8.encode": (text) => copied(new NativeTextEncoder().encode(jsonString(text))),
    "utf8.decode": (_, bytes, flags) => {
      const decoder = new NativeTextDecoder("utf-8", {
        fatal: flags.includes("f"),
        ignoreBOM: flags.includes("b"),
      });
      return stringifyJson(decoder.decode(bytes));
    },
    "base64.encode": (_, bytes) => bytes.toBase64(),
    "base64.decode": (text) => copied(Uint8Array.fromBase64(text)),
    "url.parse": (text) => {
      const [url, base] = jsonStrings(text);
      return urlParts(new NativeURL(url ?? "", base));
    },
    "url.set": (text) => {
      const [href, part, value] = jsonStrings(text);
      if (!isSettable(part) || value === undefined) return undefined;
      const url = new NativeURL(href ?? "");
      url[part] = value;
      return urlParts(url);
    },
    random: (length) => randomValues(new Uint8Array(Math.min(Number(length), RANDOM_MAX))).buffer,
    uuid: () => randomId(),
    digest: (_, bytes, algorithm) => {
      const name = DIGESTS[algorithm];
      return name === undefined ? undefined : copied(new NativeHasher(name).update(bytes).digest());
    },
    now: () => String(monotonicNow()),
    stack: (text) => stringifyJson(mapStack(jsonString(text), stackMap())),
  };
}

// --- internal ---

const RANDOM_MAX = 65_536;
/** Three parts, all of each escaped. */
const URL_TEXT_MAX = 3 * 6 * LIMITS.fetchUrlChars;
const DIGESTS: Readonly<Record<string, "sha1" | "sha256" | "sha384" | "sha512">> = {
  "SHA-1": "sha1",
  "SHA-256": "sha256",
  "SHA-384": "sha384",
  "SHA-512": "sha512",
};
const SETTABLE = [
  "protocol",
  "username",
  "password",
  "host",
  "hostname",
  "port",
  "pathname",
  "search",
  "hash",
] as const;

function isSettable(part: string | undefined): part is (typeof SETTABLE)[number] {
  return SETTABLE.some((name) => name === part);
}

function urlParts(url: URL): string {
  return stringifyJson({
    href: url.href,
    origin: url.origin,
    ...Object.fromEntries(SETTABLE.map((part) => [part, url[part]])),
  });
}

/** A JSON string and nothing else: an array of a million arrays would cost the host what the guest may not spend. */
function jsonString(text: string): string {
  if (!text.startsWith('"')) throw new TypeError("not a JSON string");
  return parseJson(text) as string;
}

function jsonStrings(text: string): string[] {
  if (text.length > URL_TEXT_MAX) throw new TypeError("too long");
  const list = parseJson(text) as unknown;
  if (!Array.isArray(list) || list.length > 3 || list.some((part) => typeof part !== "string")) {
    throw new TypeError("not a list of strings");
  }
  // A host of combining marks costs their number squared, and nothing can stop the host's parser.
  if (list.some((part: string) => part.length > LIMITS.fetchUrlChars)) throw new TypeError("too long");
  return list as string[];
}

function copied(bytes: Uint8Array): ArrayBuffer {
  return new Uint8Array(bytes).buffer;
}
