/** URL. The host parses and serialises; this class holds the parts and keeps `searchParams` and `search` as one. */
import { askText } from "./bridge.ts";
import { parse, stringify, stringOf } from "./primordials.ts";
import { makeLiveParams, replaceLiveParams, type URLSearchParams } from "./url-search-params.ts";

export class URL {
  #parts: Parts;
  #params: URLSearchParams | undefined;

  constructor(url: unknown, base?: unknown) {
    const parts = parseUrl(url, base);
    if (parts === undefined) throw new TypeError(`Invalid URL: ${String(url).slice(0, 200)}`);
    this.#parts = parts;
  }

  static canParse(url: unknown, base?: unknown): boolean {
    return parseUrl(url, base) !== undefined;
  }
  static parse(url: unknown, base?: unknown): URL | null {
    return URL.canParse(url, base) ? new URL(url, base) : null;
  }

  get href(): string {
    return this.#parts.href;
  }
  set href(value: unknown) {
    const parts = parseUrl(value);
    if (parts === undefined) throw new TypeError(`Invalid URL: ${String(value).slice(0, 200)}`);
    this.#use(parts);
  }
  get origin(): string {
    return this.#parts.origin;
  }
  get protocol(): string {
    return this.#parts.protocol;
  }
  set protocol(value: unknown) {
    this.#set("protocol", value);
  }
  get username(): string {
    return this.#parts.username;
  }
  set username(value: unknown) {
    this.#set("username", value);
  }
  get password(): string {
    return this.#parts.password;
  }
  set password(value: unknown) {
    this.#set("password", value);
  }
  get host(): string {
    return this.#parts.host;
  }
  set host(value: unknown) {
    this.#set("host", value);
  }
  get hostname(): string {
    return this.#parts.hostname;
  }
  set hostname(value: unknown) {
    this.#set("hostname", value);
  }
  get port(): string {
    return this.#parts.port;
  }
  set port(value: unknown) {
    this.#set("port", value);
  }
  get pathname(): string {
    return this.#parts.pathname;
  }
  set pathname(value: unknown) {
    this.#set("pathname", value);
  }
  get search(): string {
    return this.#parts.search;
  }
  set search(value: unknown) {
    this.#set("search", value);
  }
  get hash(): string {
    return this.#parts.hash;
  }
  set hash(value: unknown) {
    this.#set("hash", value);
  }
  get searchParams(): URLSearchParams {
    this.#params ??= makeLiveParams(this.#parts.search, (query) => {
      const parts = change(this.#parts.href, "search", query);
      if (parts !== undefined) this.#parts = parts;
    });
    return this.#params;
  }
  toString(): string {
    return this.href;
  }
  toJSON(): string {
    return this.href;
  }
  get [Symbol.toStringTag](): string {
    return "URL";
  }

  #set(part: Part, value: unknown): void {
    const parts = change(this.#parts.href, part, String(value));
    if (parts !== undefined) this.#use(parts);
  }

  #use(parts: Parts): void {
    const queryChanged = parts.search !== this.#parts.search;
    this.#parts = parts;
    if (queryChanged && this.#params !== undefined) replaceLiveParams(this.#params, parts.search);
  }
}

// --- internal ---

type Part =
  | "protocol"
  | "username"
  | "password"
  | "host"
  | "hostname"
  | "port"
  | "pathname"
  | "search"
  | "hash";
type Parts = Readonly<Record<Part | "href" | "origin", string>>;

function parseUrl(url: unknown, base?: unknown): Parts | undefined {
  return read(
    askText("url.parse", stringify(base === undefined ? [String(url)] : [String(url), stringOf(base)])),
  );
}

function change(href: string, part: Part, value: string): Parts | undefined {
  return read(askText("url.set", stringify([href, part, value])));
}

function read(answer: string): Parts | undefined {
  return answer === "" ? undefined : (parse(answer) as Parts);
}
