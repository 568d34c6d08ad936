/** URLSearchParams: application/x-www-form-urlencoded pairs, alone or as the live query of a URL. */
import { encodeUtf8 } from "./bytes.ts";
import { TextDecoder } from "./text-coding.ts";

type Pair = [name: string, value: string];

export class URLSearchParams {
  #pairs: Pair[] = [];
  #onChange: ((query: string) => void) | undefined;

  constructor(init: unknown = "") {
    this.#pairs = readInit(init);
  }

  get size(): number {
    return this.#pairs.length;
  }
  append(name: unknown, value: unknown): void {
    this.#pairs.push([text(name), text(value)]);
    this.#changed();
  }
  delete(name: unknown, value?: unknown): void {
    const [wanted, only] = [text(name), value === undefined ? undefined : text(value)];
    this.#pairs = this.#pairs.filter(
      ([key, held]) => key !== wanted || (only !== undefined && held !== only),
    );
    this.#changed();
  }
  get(name: unknown): string | null {
    const wanted = text(name);
    return this.#pairs.find(([key]) => key === wanted)?.[1] ?? null;
  }
  getAll(name: unknown): string[] {
    const wanted = text(name);
    return this.#pairs.filter(([key]) => key === wanted).map(([, value]) => value);
  }
  has(name: unknown, value?: unknown): boolean {
    const [wanted, only] = [text(name), value === undefined ? undefined : text(value)];
    return this.#pairs.some(([key, held]) => key === wanted && (only === undefined || held === only));
  }
  set(name: unknown, value: unknown): void {
    const wanted = text(name);
    const first = this.#pairs.findIndex(([key]) => key === wanted);
    if (first === -1) this.#pairs.push([wanted, text(value)]);
    else {
      this.#pairs[first] = [wanted, text(value)];
      this.#pairs = this.#pairs.filter(([key], i) => key !== wanted || i <= first);
    }
    this.#changed();
  }
  sort(): void {
    this.#pairs.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
    this.#changed();
  }
  toString(): string {
    return this.#pairs.map(([name, value]) => `${encode(name)}=${encode(value)}`).join("&");
  }
  forEach(callback: (value: string, name: string, params: URLSearchParams) => void, self?: unknown): void {
    for (const [name, value] of this) callback.call(self, value, name, this);
  }
  *entries(): Generator<Pair> {
    for (let i = 0; i < this.#pairs.length; i++) yield [...this.#pairs[i]!];
  }
  *keys(): Generator<string> {
    for (const [name] of this) yield name;
  }
  *values(): Generator<string> {
    for (const [, value] of this) yield value;
  }
  [Symbol.iterator](): Generator<Pair> {
    return this.entries();
  }
  get [Symbol.toStringTag](): string {
    return "URLSearchParams";
  }

  #changed(): void {
    this.#onChange?.(this.toString());
  }

  static {
    liveParams = (query, onChange) => {
      const params = new URLSearchParams(query);
      params.#onChange = onChange;
      return params;
    };
    replaceParams = (params, query) => {
      params.#pairs = parseQuery(query);
    };
  }
}

/** The params of a URL: each change is told. */
export function makeLiveParams(query: string, onChange: (query: string) => void): URLSearchParams {
  return liveParams(query, onChange);
}

/** The URL's query changed by another way. */
export function replaceLiveParams(params: URLSearchParams, query: string): void {
  replaceParams(params, query);
}

// --- internal ---

var liveParams: (query: string, onChange: (query: string) => void) => URLSearchParams;
var replaceParams: (params: URLSearchParams, query: string) => void;

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

function text(value: unknown): string {
  return String(value).toWellFormed();
}

function readInit(init: unknown): Pair[] {
  if (typeof init !== "object" || init === null) return parseQuery(String(init));
  const iterable = (init as Partial<Iterable<unknown>>)[Symbol.iterator];
  if (iterable === undefined) return Object.entries(init).map(([name, value]) => [text(name), text(value)]);
  return [...(init as Iterable<Iterable<unknown>>)].map((entry) => {
    const pair = [...entry];
    if (pair.length !== 2) throw new TypeError("each entry of URLSearchParams needs a name and a value");
    return [text(pair[0]), text(pair[1])];
  });
}

function parseQuery(query: string): Pair[] {
  const body = text(query.startsWith("?") ? query.slice(1) : query);
  return body
    .split("&")
    .filter((part) => part !== "")
    .map((part) => {
      const equals = part.indexOf("=");
      return equals === -1
        ? [decode(part), ""]
        : [decode(part.slice(0, equals)), decode(part.slice(equals + 1))];
    });
}

function decode(part: string): string {
  const spaced = part.replaceAll("+", " ");
  if (!spaced.includes("%")) return spaced;
  const raw = encodeUtf8(spaced);
  const bytes: number[] = [];
  for (let i = 0; i < raw.length; i++) {
    const hex = raw[i] === 0x25 ? String.fromCharCode(raw[i + 1] ?? 0, raw[i + 2] ?? 0) : "";
    if (/^[0-9A-Fa-f]{2}$/.test(hex)) {
      bytes.push(Number.parseInt(hex, 16));
      i += 2;
    } else bytes.push(raw[i]!);
  }
  return decoder.decode(Uint8Array.from(bytes));
}

function encode(part: string): string {
  return encodeURIComponent(part)
    .replaceAll(/[!'()~]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll("%20", "+");
}
