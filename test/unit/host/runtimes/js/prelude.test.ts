/** The guest's web interfaces beside Bun's own: each expression must give the same in both worlds, and in both JavaScript rooms. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { Room } from "../../../../../src/host/runtimes/runtime.ts";
import { hookCode, openRoom } from "../../../../js-room.ts";
import { canConfine, processRooms } from "../../../../process-room.ts";

const CODE = hookCode("return await (0, eval)(event.code)");
const processes = processRooms();
const rooms: Room[] = [];

beforeAll(async () => {
  rooms.push((await openRoom(CODE)).room);
  if (canConfine) rooms.push(await processes.open(CODE));
});
afterAll(() => Promise.all(rooms.map((room) => room.stop())));

/** What an expression gives, as JSON; what it throws, by name. */
const CATCHING = (expression: string) =>
  `(async () => { try { return { value: await (${expression}) } } catch (error) { return { threw: error.name } } })()`;

/** What the rooms give, of which there must be one answer. */
async function inGuest(expression: string, asked: readonly Room[] = rooms): Promise<unknown> {
  const event = { code: CATCHING(expression) };
  const [first, ...others] = await Promise.all(
    asked.map((room) => room.call("on_deploy_success", event, { deadlineMs: 5000 })),
  );
  for (const other of others) expect(other).toEqual(first);
  return first;
}

async function inBun(expression: string): Promise<unknown> {
  // eslint-disable-next-line no-eval -- the expressions are this file's own
  const value = (await (0, eval)(CATCHING(expression))) as unknown;
  return JSON.parse(JSON.stringify(value)) as unknown;
}

function sameAsBun(name: string, expressions: readonly string[]): void {
  describe(name, () => {
    test.each(expressions.map((expression) => [expression]))("%s", async (expression) => {
      expect(await inGuest(expression)).toEqual(await inBun(expression));
    });
  });
}

const list = (inputs: readonly unknown[], use: (input: string) => string) =>
  inputs.map((input) => use(JSON.stringify(input)));

const TEXTS = [
  "",
  "a",
  "ü€😀",
  "\u0000x\u0000",
  "\ud800",
  "a\udc00b",
  "\ud83d\ude00\ud83d",
  "\uFEFFbom",
  "x".repeat(5000),
];
sameAsBun("TextEncoder", [
  ...list(TEXTS, (text) => `[...new TextEncoder().encode(${text})]`),
  "new TextEncoder().encoding",
  "[...new TextEncoder().encode()]",
  "[...new TextEncoder().encode(12)]",
  "(() => { const b = new Uint8Array(5); const r = new TextEncoder().encodeInto('aü😀z', b); return [r.read, r.written, ...b] })()",
  "(() => { const b = new Uint8Array(2); const r = new TextEncoder().encodeInto('😀', b); return [r.read, r.written] })()",
]);

const BYTES = [
  [],
  [0x61],
  [0xef, 0xbb, 0xbf, 0x61],
  [0xf0, 0x9f, 0x98, 0x80],
  [0xf0, 0x9f, 0x98],
  [0xff],
  [0xc0, 0x80],
  [0xed, 0xa0, 0x80],
  [0xe2, 0x82, 0x61],
  [0xf4, 0x90, 0x80, 0x80],
  [0, 0x61, 0],
];
sameAsBun("TextDecoder", [
  ...list(BYTES, (bytes) => `new TextDecoder().decode(new Uint8Array(${bytes}))`),
  ...list(BYTES, (bytes) => `new TextDecoder("utf-8", {ignoreBOM: true}).decode(new Uint8Array(${bytes}))`),
  ...list(
    BYTES.slice(0, 4),
    (bytes) => `new TextDecoder("utf-8", {fatal: true}).decode(new Uint8Array(${bytes}))`,
  ),
  ...list(
    BYTES.slice(4, 10),
    (bytes) => `new TextDecoder("utf-8", {fatal: true}).decode(new Uint8Array(${bytes}))`,
  ),
  "new TextDecoder().decode()",
  "(() => { const b = new TextEncoder().encode('aü€😀'.repeat(60000)); const t = new TextDecoder().decode(b.subarray(1)); return [t.length, t.slice(-8), t.includes('\\ufffd')] })()",
  "new TextDecoder('UTF-8 ').encoding",
  "new TextDecoder('no-such').encoding",
  "new TextDecoder().decode(new Uint8Array([1, 0x62, 0x63]).subarray(1))",
  "new TextDecoder().decode(new DataView(new Uint8Array([0x62, 0x63]).buffer, 1))",
  "(() => { const d = new TextDecoder(); return [[0xe2],[0x82],[0xac,0xf0,0x9f],[0x98,0x80,0x61]].map(b => d.decode(new Uint8Array(b), {stream: true})).concat(d.decode()) })()",
  "(() => { const d = new TextDecoder(); return [[0xef],[0xbb,0xbf,0x61],[0xef,0xbb,0xbf]].map(b => d.decode(new Uint8Array(b), {stream: true})) })()",
  "(() => { const d = new TextDecoder(); return [d.decode(new Uint8Array([0xe2, 0x82]), {stream: true}), d.decode()] })()",
]);

sameAsBun("atob and btoa", [
  ...list(["", "a", "ab", "abc", "\u00ff\u0000", "ü", "€", "x".repeat(10_000)], (text) => `btoa(${text})`),
  ...list(
    ["", "YQ==", "YQ", "YWI=", " Y W\nI ", "=", "Y", "YQ=", "YQ===", "Y-_=", "YR==", "////"],
    (text) => `atob(${text})`,
  ),
  "btoa()",
  "atob(null)",
]);

const URLS = [
  "https://user:pass@example.com:8080/a/../b?x=1&y=%20#frag",
  "HTTP://EXAMPLE.com:80",
  "https://ünï.example/ü?ü#ü",
  "http://[::1]:3000/",
  "http://0x7f.1/",
  "file:///etc/passwd",
  "data:text/plain,hi",
  "not a url",
  "//host/path",
  "https://exa mple.com",
  "javascript:alert(1)",
  "https://a.b/\ud800",
  "http://a\u0000b/",
];
const PARTS =
  "['href','origin','protocol','username','password','host','hostname','port','pathname','search','hash']";
sameAsBun("URL", [
  ...list(URLS, (url) => `(() => { const u = new URL(${url}); return ${PARTS}.map(p => u[p]) })()`),
  ...list(URLS, (url) => `URL.canParse(${url})`),
  ...list(
    ["../x", "?q", "#h", "//other/p", "https://z/", ""],
    (url) => `new URL(${url}, "https://base.example/a/b?c").href`,
  ),
  ...["protocol", "username", "password", "host", "hostname", "port", "pathname", "search", "hash"].flatMap(
    (part) =>
      list(
        ["http", "a b", "x:9000", "", "ü", "99999"],
        (value) =>
          `(() => { const u = new URL("https://h.example:1/p?q#f"); u.${part} = ${value}; return u.href })()`,
      ),
  ),
  "(() => { const u = new URL('https://a.b/?x=1'); u.searchParams.append('y', 'a b&c'); u.searchParams.set('x', '2'); return [u.href, u.search] })()",
  "(() => { const u = new URL('https://a.b/?x=1'); const p = u.searchParams; u.search = '?z=3'; return [p.get('z'), p.get('x'), String(p)] })()",
  "(() => { const u = new URL('https://a.b/?x=1'); const p = u.searchParams; u.href = 'https://c.d/?q=4'; return [p.get('q'), p === u.searchParams] })()",
  "(() => { const u = new URL('https://a.b/?x=1'); u.searchParams.delete('x'); return u.href })()",
  "(() => { const u = new URL('https://a.b/'); u.href = 'nonsense' })()",
  "JSON.stringify(new URL('https://a.b/c'))",
  "URL.parse('nope')",
  "Object.prototype.toString.call(new URL('a:b'))",
]);

sameAsBun("URLSearchParams", [
  ...list(
    [
      "",
      "?a=1&b=2",
      "a=1&a=2",
      "a+b=%20c",
      "%zz=%",
      "=",
      "&&a&",
      "ü=%C3%BC",
      "a=%ff",
      "x=1=2",
      "a=%F0%9F%98%80",
    ],
    (text) => `[[...new URLSearchParams(${text})], String(new URLSearchParams(${text}))]`,
  ),
  "String(new URLSearchParams({a: 1, b: '!~*()\\'-._ ü'}))",
  "String(new URLSearchParams([['a', 'b'], ['c', 'd']]))",
  "String(new URLSearchParams(new URLSearchParams('a=b')))",
  "String(new URLSearchParams(new Map([['k', 'v']])))",
  "new URLSearchParams([['a']])",
  "(() => { const p = new URLSearchParams('b=1&a=2&b=3'); p.sort(); return [String(p), p.size, p.getAll('b'), p.has('b', '3'), p.has('b', '9')] })()",
  "(() => { const p = new URLSearchParams('a=1&b=2&a=3'); p.set('a', '9'); p.delete('b', '1'); p.append('c', '\\ud800'); return String(p) })()",
  "(() => { const p = new URLSearchParams('a=1&a=2'); p.delete('a', '2'); return [String(p), p.get('zz')] })()",
  "(() => { const seen = []; new URLSearchParams('a=1&b=2').forEach((v, k) => seen.push(k + v)); return seen })()",
  "[[...new URLSearchParams('a=1&b=2').keys()], [...new URLSearchParams('a=1&b=2').values()]]",
]);

sameAsBun("Headers", [
  "[...new Headers({B: '2', a: ' 1 '})]",
  "[...new Headers([['x', '1'], ['X', '2']])]",
  "new Headers([['x', '1'], ['X', '2']]).get('x')",
  "(() => { const h = new Headers(); h.append('Set-Cookie', 'a=1'); h.append('set-cookie', 'b=2'); return [h.getSetCookie(), h.get('set-cookie'), [...h]] })()",
  "(() => { const h = new Headers({a: '1', b: '2'}); h.delete('A'); h.set('B', '3'); return [h.has('a'), h.get('b'), h.get('nope')] })()",
  "new Headers({'bad name': 'x'})",
  "new Headers({x: 'a\\nb'})",
  "new Headers({x: '\\u20ac'})",
  "new Headers({'': 'x'})",
  "[...new Headers(new Headers({q: '1'}))]",
  "[...new Headers(undefined)]",
  "(() => { const seen = []; new Headers({b: '2', a: '1'}).forEach((v, k) => seen.push(k + v)); return seen })()",
]);

sameAsBun("Request and Response", [
  "new Response('ü').text()",
  "new Response('{\"a\":1}').json()",
  "new Response('nope').json()",
  "(async () => [...new Uint8Array(await new Response('ab').arrayBuffer())])()",
  "(async () => [...await new Response(new Uint8Array([1, 2])).bytes()])()",
  "(async () => { const r = new Response('x'); await r.text(); return [r.bodyUsed, await r.text()] })()",
  "(async () => { const r = new Response('x'); const c = r.clone(); return [await r.text(), await c.text(), c.bodyUsed] })()",
  "(() => { const r = new Response('x', {status: 404, statusText: 'No', headers: {a: 'b'}}); return [r.status, r.statusText, r.ok, r.headers.get('a'), r.redirected, r.url] })()",
  "(async () => { const r = Response.json({a: 1}); return [r.status, r.ok, await r.json()] })()",
  "new Response('x', {status: 99}).status",
  "Response.redirect('https://a.b/', 301).headers.get('location')",
  "Response.redirect('https://a.b/', 200).status",
  "(() => { const r = Response.error(); return [r.status, r.type, r.ok] })()",
  "new Response(new URLSearchParams({a: 'b c'})).text()",
  "(async () => { let text = ''; for await (const piece of new Response('abc').body) text += new TextDecoder().decode(piece); return text })()",
  "(async () => { const reader = new Response('ab').body.getReader(); const all = [await reader.read(), await reader.read()]; return all.map(({ done, value }) => [done, value === undefined ? 0 : [...value]]) })()",
  "(async () => { const r = new Response('ab'); const { body } = r; return [body === r.body, body.locked, r.bodyUsed, body.getReader() !== body, body.locked] })()",
  "(async () => { const r = new Response('ab'); const reader = r.body.getReader(); await reader.read(); return [r.bodyUsed, await r.text()] })()",
  "(async () => { const r = new Response('ab'); r.body.getReader(); return r.text() })()",
  "(async () => { const r = new Response('ab'); const reader = r.body.getReader(); reader.releaseLock(); return r.body.locked })()",
  "(async () => { const reader = new Response('ab').body.getReader(); reader.releaseLock(); return reader.read() })()",
  "(async () => { const r = new Response('ab'); await r.body.cancel(); return [r.bodyUsed, await r.text()] })()",
  "(async () => { const r = new Response('ab'); r.body.getReader(); return r.body.getReader() })()",
  "(async () => { const r = new Response('ab'); r.body.getReader(); return r.body.cancel() })()",
  "(async () => { const r = new Response('ab'); for await (const piece of r.body) break; return [r.bodyUsed, r.body.locked, (await r.body.getReader().read()).done] })()",
  "(async () => { const r = new Response('ab'); const reader = r.body.getReader(); await reader.cancel(); return [(await reader.read()).done, await reader.closed === undefined] })()",
  "new Response(null).body",
  "new Response().body",
  "(async () => { const r = new Response('x'); await r.text(); return r.bodyUsed })()",
  "Object.prototype.toString.call(new Response('x').body)",
  "(async () => { const r = new Request('https://a.b/c', {method: 'post', body: 'x', headers: {h: 'v'}}); return [r.method, r.url, r.headers.get('h'), await r.text()] })()",
  "(async () => { const r = new Request('https://a.b/c', {method: 'PUT', body: 'x'}); const c = r.clone(); return [await c.text(), await r.text(), c.method] })()",
  "new Request('relative')",
  "new Request('https://a.b').redirect",
  "(async () => { const r = new Request(new Request('https://a.b', {method: 'POST', body: 'q'})); return [r.method, await r.text()] })()",
]);

sameAsBun("AbortSignal", [
  "(() => { const c = new AbortController(); const seen = []; c.signal.addEventListener('abort', e => seen.push(e.type)); c.signal.onabort = () => seen.push('on'); c.abort(); c.abort(); return [c.signal.aborted, c.signal.reason.name, seen.sort()] })()",
  "(() => { const c = new AbortController(); c.abort('why'); return c.signal.reason })()",
  "(() => { AbortSignal.abort().throwIfAborted() })()",
  "AbortSignal.abort(7).reason",
  "new Promise(r => { const s = AbortSignal.timeout(1); s.onabort = () => r(s.reason.name) })",
  "(() => { const a = new AbortController(), s = AbortSignal.any([a.signal, new AbortController().signal]); a.abort(3); return [s.aborted, s.reason] })()",
  "AbortSignal.any([AbortSignal.abort(4)]).reason",
  "AbortSignal.any([]).aborted",
  "(() => { const c = new AbortController(); let n = 0; const t = new EventTarget(); t.addEventListener('x', () => n++, {signal: c.signal}); t.dispatchEvent(new Event('x')); c.abort(); t.dispatchEvent(new Event('x')); return n })()",
]);

sameAsBun("EventTarget", [
  "(() => { const t = new EventTarget(); const seen = []; const f = () => seen.push('f'); t.addEventListener('a', f); t.addEventListener('a', f); t.addEventListener('a', { handleEvent(e) { seen.push(e.type) } }); t.addEventListener('a', () => seen.push('once'), {once: true}); t.dispatchEvent(new Event('a')); t.removeEventListener('a', f); t.dispatchEvent(new Event('a')); return seen })()",
  "(() => { const t = new EventTarget(); let n = 0; t.addEventListener('a', e => { n++; e.stopImmediatePropagation() }); t.addEventListener('a', () => n++); t.dispatchEvent(new Event('a')); return n })()",
  "(() => { const t = new EventTarget(); t.addEventListener('a', e => e.preventDefault()); return [t.dispatchEvent(new Event('a', {cancelable: true})), t.dispatchEvent(new Event('a'))] })()",
]);

sameAsBun("structuredClone", [
  "structuredClone({a: [1, {b: null}], c: 'x', d: undefined})",
  "(() => { const a = {}; a.self = a; const b = structuredClone(a); return [b.self === b, b !== a] })()",
  "[...structuredClone(new Map([[1, new Set([2])]])).get(1)]",
  "structuredClone(new Date(5)).getTime()",
  "(() => { const r = structuredClone(/a(b)/gi); return [r.source, r.flags] })()",
  "[...structuredClone(new Uint16Array([1, 2]))]",
  "(() => { const b = new Uint8Array([1, 2, 3, 4]); const c = structuredClone([b.subarray(1), b.subarray(2)]); return [c[0].byteOffset, c[0].buffer === c[1].buffer, [...c[1]]] })()",
  "(() => { const e = structuredClone(new RangeError('x')); return [e.name, e.message, e instanceof RangeError] })()",
  "structuredClone(() => 1)",
  "structuredClone(Symbol('x'))",
  "structuredClone({f() {}})",
  "structuredClone()",
  "String(structuredClone(5n))",
  "(() => { const b = new ArrayBuffer(4); const c = structuredClone(b, {transfer: [b]}); return [b.byteLength, c.byteLength] })()",
  "(() => { const s = structuredClone([1, , 3]); return [s.length, 1 in s] })()",
  "Object.keys(structuredClone(Object.assign([1], {extra: 2})))",
  "structuredClone(Object.create({inherited: 1}, {own: {value: 2, enumerable: true}}))",
  "Object.hasOwn(structuredClone(JSON.parse('{\"__proto__\": {\"x\": 1}}')), '__proto__')",
  "[typeof structuredClone(Object(1)), structuredClone(Object('s')).valueOf()]",
]);

sameAsBun("timers, crypto and the rest", [
  "new Promise(r => setTimeout((a, b) => r([a, b]), 1, 'x', 'y'))",
  "new Promise(r => { const seen = []; const id = setInterval(() => { if (seen.push(1) === 3) { clearInterval(id); r(seen) } }, 1) })",
  "new Promise(r => { const id = setTimeout(() => r('fired'), 1); clearTimeout(id); setTimeout(() => r('cleared'), 15) })",
  "new Promise(r => { const seen = []; setTimeout(() => r(seen), 3); queueMicrotask(() => seen.push(2)); seen.push(1) })",
  "queueMicrotask(1)",
  "clearTimeout(undefined)",
  ...["SHA-1", "sha-256", "SHA-384", "SHA-512"].map(
    (name) =>
      `(async () => [...new Uint8Array(await crypto.subtle.digest('${name}', new TextEncoder().encode('abc')))])()`,
  ),
  "(async () => [...new Uint8Array(await crypto.subtle.digest({name: 'SHA-256'}, new Uint8Array()))].length)()",
  "/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(crypto.randomUUID())",
  "crypto.getRandomValues(new Uint8Array(64)).some(x => x > 0)",
  "crypto.getRandomValues(new Uint32Array(4)).length",
  "performance.now() >= 0",
  "(() => { const e = new DOMException('m', 'AbortError'); return [e.name, e.message, e.code, e instanceof Error, Object.prototype.toString.call(e)] })()",
  "typeof globalThis.console.log",
]);

test("what a plugin's world does not have is absent, not half there", async () => {
  const names = [
    "process",
    "Bun",
    "require",
    "module",
    "Worker",
    "WebAssembly",
    "Atomics",
    "navigator",
    "__dirname",
    "postMessage",
    "self",
  ];
  const code = `[${names.map((name) => `typeof ${name}`).join()}]`;
  expect(await inGuest(code, rooms.slice(0, 1))).toEqual({ value: names.map(() => "undefined") });
});

// Where Bun is more generous than the standard, the guest follows the standard.
test.each([
  ["crypto.subtle.digest('MD5', new Uint8Array(1))", { threw: "NotSupportedError" }],
  ["new Request('https://a.b', {method: 'GET', body: 'x'})", { threw: "TypeError" }],
  ["new Request('https://user:secret@a.b/')", { threw: "TypeError" }],
  ["new Request('https://a.b', {method: 'TRACE'})", { threw: "TypeError" }],
  ["crypto.getRandomValues(new Uint8Array(65537))", { threw: "QuotaExceededError" }],
  ["crypto.getRandomValues(new Float32Array(1))", { threw: "TypeMismatchError" }],
  ["structuredClone(new RangeError('x', {cause: 1})).cause", { value: 1 }],
  ["structuredClone(Promise.resolve())", { threw: "DataCloneError" }],
  ["new AbortSignal()", { threw: "TypeError" }],
])("%s is as the standard says", async (expression, expected) => {
  expect(await inGuest(expression)).toEqual(expected);
});
