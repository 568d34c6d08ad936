/** Headers: names in lower case, values in order, `set-cookie` never joined. */

export class Headers {
  #list: [name: string, value: string][] = [];

  constructor(init?: unknown) {
    if (init === undefined || init === null) return;
    if (typeof init !== "object") throw new TypeError("Headers needs an object or a list of pairs");
    if (Symbol.iterator in init) {
      for (const entry of init as Iterable<Iterable<unknown>>) {
        const pair = [...entry];
        if (pair.length !== 2) throw new TypeError("each entry of Headers needs a name and a value");
        this.append(pair[0], pair[1]);
      }
    } else for (const [name, value] of Object.entries(init)) this.append(name, value);
  }

  append(name: unknown, value: unknown): void {
    this.#list.push([headerName(name), headerValue(value)]);
  }
  delete(name: unknown): void {
    const key = headerName(name);
    this.#list = this.#list.filter(([held]) => held !== key);
  }
  get(name: unknown): string | null {
    const key = headerName(name);
    const values = this.#list.filter(([held]) => held === key).map(([, value]) => value);
    return values.length === 0 ? null : values.join(", ");
  }
  getSetCookie(): string[] {
    return this.#list.filter(([name]) => name === "set-cookie").map(([, value]) => value);
  }
  has(name: unknown): boolean {
    const key = headerName(name);
    return this.#list.some(([held]) => held === key);
  }
  set(name: unknown, value: unknown): void {
    const key = headerName(name);
    const clean = headerValue(value);
    const first = this.#list.findIndex(([held]) => held === key);
    if (first === -1) this.#list.push([key, clean]);
    else {
      this.#list[first] = [key, clean];
      this.#list = this.#list.filter(([held], i) => held !== key || i <= first);
    }
  }
  forEach(callback: (value: string, name: string, headers: Headers) => void, self?: unknown): void {
    for (const [name, value] of this) callback.call(self, value, name, this);
  }
  *entries(): Generator<[string, string]> {
    const names = [...new Set(this.#list.map(([name]) => name))].toSorted();
    for (const name of names) {
      if (name === "set-cookie") for (const value of this.getSetCookie()) yield [name, value];
      else yield [name, this.get(name)!];
    }
  }
  *keys(): Generator<string> {
    for (const [name] of this) yield name;
  }
  *values(): Generator<string> {
    for (const [, value] of this) yield value;
  }
  [Symbol.iterator](): Generator<[string, string]> {
    return this.entries();
  }
  get [Symbol.toStringTag](): string {
    return "Headers";
  }
}

// --- internal ---

function headerName(name: unknown): string {
  const text = String(name);
  if (!/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(text)) {
    throw new TypeError(`"${text.slice(0, 40)}" is not a header name`);
  }
  return text.toLowerCase();
}

function headerValue(value: unknown): string {
  const text = String(value).replaceAll(/^[\t\n\r ]+|[\t\n\r ]+$/g, "");
  // eslint-disable-next-line no-control-regex -- exactly the bytes that HTTP forbids
  if (/[\0\r\n]/.test(text) || /[^\0-\xff]/.test(text))
    throw new TypeError("the header's value has a character that HTTP forbids");
  return text;
}
