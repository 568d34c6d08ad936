/**
 * Every module of the engine's own that a plugin may import, at work in a sealed process: loaded is not enough, because many fetch
 * more of the engine or of the global names when they are used. Compiled too, where the engine's files are other ones.
 */
import { describe, expect, test } from "bun:test";
import { PURE_BUILTINS } from "../../../src/host/bundle/pure-builtins.ts";
import { EXECUTABLE } from "../../e2e/machine.ts";
import { needs } from "../../harness.ts";
import { recordedDoor } from "../../js-room.ts";
import { canConfine, processRooms } from "../../process-room.ts";

/** `M` is the module's namespace; `done` makes a promise of a function that takes a callback. */
const USES: Readonly<Record<string, readonly (readonly [use: string, gives: unknown])[]>> = {
  "node:assert": [
    [
      "(() => { try { M.deepStrictEqual({ a: 1 }, { a: 2 }) } catch (error) { return [error.code, error.message.length > 20] } })()",
      ["ERR_ASSERTION", true],
    ],
  ],
  "node:assert/strict": [
    ["(() => { try { M.equal(1, '1') } catch (error) { return error.code } })()", "ERR_ASSERTION"],
  ],
  "node:async_hooks": [
    ["new M.AsyncLocalStorage().run(5, async function () { await 0; return 5 })", 5],
    [
      "(async () => { const s = new M.AsyncLocalStorage(); return s.run(7, async () => { await null; return s.getStore() }) })()",
      7,
    ],
  ],
  "node:buffer": [
    ["M.Buffer.from('ü').toString('hex')", "c3bc"],
    ["new M.Blob(['a', 'bc']).text()", "abc"],
    ["M.Buffer === Buffer", true],
  ],
  "node:crypto": [
    ["M.createHash('sha256').update('a').digest('hex').slice(0, 8)", "ca978112"],
    ["M.createHmac('sha1', 'k').update('x').digest('base64').length", 28],
    ["M.randomBytes(8).length", 8],
    ["done((cb) => M.randomBytes(8, cb)).then(({ length }) => length)", 8],
    ["done((cb) => M.pbkdf2('a', 'b', 1000, 32, 'sha256', cb)).then(({ length }) => length)", 32],
    ["done((cb) => M.scrypt('a', 'b', 32, cb)).then(({ length }) => length)", 32],
    [
      "(() => { const [k, iv] = [Buffer.alloc(32), Buffer.alloc(12)]; const c = M.createCipheriv('aes-256-gcm', k, iv); const e = Buffer.concat([c.update('hi'), c.final()]); const d = M.createDecipheriv('aes-256-gcm', k, iv); d.setAuthTag(c.getAuthTag()); return String(Buffer.concat([d.update(e), d.final()])) })()",
      "hi",
    ],
    [
      "(() => { const { privateKey, publicKey } = M.generateKeyPairSync('ed25519'); const data = Buffer.from('x'); return M.verify(null, data, publicKey, M.sign(null, data, privateKey)) })()",
      true,
    ],
    [
      "done((cb) => M.generateKeyPair('rsa', { modulusLength: 1024 }, (error, key) => cb(error, key))).then(({ type }) => type)",
      "public",
    ],
    ["M.webcrypto.subtle.digest('SHA-256', new Uint8Array(1)).then(({ byteLength }) => byteLength)", 32],
    ["M.timingSafeEqual(Buffer.alloc(2), Buffer.alloc(2))", true],
    ["M.randomUUID().length", 36],
  ],
  "node:diagnostics_channel": [
    [
      "(() => { let got; const c = M.channel('a'); c.subscribe((m) => (got = m)); c.publish({ q: 1 }); return got })()",
      { q: 1 },
    ],
  ],
  "node:events": [
    [
      "(async () => { const e = new M.EventEmitter(); setTimeout(() => e.emit('x', 4), 1); return M.once(e, 'x') })()",
      [4],
    ],
    [
      "(async () => { const c = new AbortController(); const p = M.once(new M.EventEmitter(), 'x', { signal: c.signal }).catch((error) => error.name); c.abort(); return p })()",
      "AbortError",
    ],
    [
      "(async () => { const e = new M.EventEmitter(); queueMicrotask(() => { e.emit('x', 1); e.emit('x', 2) }); const got = []; for await (const [n] of M.on(e, 'x')) if (got.push(n) === 2) return got })()",
      [1, 2],
    ],
  ],
  "node:path": [
    ["[M.join('a', '..', 'b'), M.resolve('/a', 'c'), M.relative('/a/b', '/a/c')]", ["b", "/a/c", "../c"]],
  ],
  "node:path/posix": [["M.normalize('/a/../b')", "/b"]],
  "node:path/win32": [["M.join('a', 'b')", "a\\b"]],
  "node:perf_hooks": [
    ["M.performance.now() > 0", true],
    ["(() => { M.performance.mark('a'); return M.performance.getEntriesByName('a').length })()", 1],
    ["(() => { const h = M.createHistogram(); h.record(5); return h.max })()", 5],
  ],
  "node:punycode": [["M.toASCII('ü.de')", "xn--tda.de"]],
  "node:querystring": [["M.stringify(M.parse('a=1&b=ü'))", "a=1&b=%C3%BC"]],
  "node:stream": [
    [
      "(async () => { const out = []; await M.promises.pipeline(M.Readable.from(['a', 'b']), new M.Transform({ transform(c, _, cb) { cb(null, String(c).toUpperCase()) } }), new M.Writable({ write(c, _, cb) { out.push(String(c)); cb() } })); return out })()",
      ["A", "B"],
    ],
    ["M.Readable.from([1, 2, 3]).map((x) => x * 2).toArray()", [2, 4, 6]],
    ["M.Readable.toWeb(M.Readable.from(['q'])).getReader().read().then(({ value }) => String(value))", "q"],
    ["M.Readable.fromWeb(M.Readable.toWeb(M.Readable.from(['w']))).toArray().then(String)", "w"],
    [
      "(async () => { const c = new AbortController(); const s = M.addAbortSignal(c.signal, new M.PassThrough()); const p = new Promise((r) => s.on('error', (error) => r(error.name))); c.abort(); return p })()",
      "AbortError",
    ],
  ],
  "node:stream/consumers": [
    ["M.text(S.Readable.from(['he', 'llo']))", "hello"],
    ["M.json(S.Readable.from(['[1]']))", [1]],
  ],
  "node:stream/promises": [
    [
      "(async () => { const p = new S.PassThrough(); p.resume(); p.end('x'); await M.finished(p); return 'finished' })()",
      "finished",
    ],
  ],
  "node:stream/web": [
    [
      "(async () => { const s = new M.ReadableStream({ start(c) { c.enqueue('x'); c.close() } }); let text = ''; for await (const c of s.pipeThrough(new M.TransformStream({ transform(c, k) { k.enqueue(c + c) } }))) text += c; return text })()",
      "xx",
    ],
    [
      "(async () => { const g = new M.CompressionStream('gzip'); const w = g.writable.getWriter(); void w.write(new Uint8Array(10)); void w.close(); return (await g.readable.getReader().read()).value.length > 5 })()",
      true,
    ],
  ],
  "node:string_decoder": [
    [
      "(() => { const d = new M.StringDecoder('utf8'); return d.write(Buffer.from([0xe2, 0x82])) + d.end(Buffer.from([0xac])) })()",
      "€",
    ],
  ],
  "node:timers": [
    ["new Promise((r) => M.setTimeout(r, 2, 'timer'))", "timer"],
    ["new Promise((r) => M.setImmediate(r, 'now'))", "now"],
    [
      "new Promise((r) => { let n = 0; const t = M.setInterval(() => { if (++n === 3) { M.clearInterval(t); r(n) } }, 1) })",
      3,
    ],
  ],
  "node:timers/promises": [
    ["M.setTimeout(2, 'late')", "late"],
    ["M.setImmediate('now')", "now"],
    [
      "(async () => { const c = new AbortController(); const p = M.setTimeout(60_000, 0, { signal: c.signal }).catch((error) => error.name); c.abort(); return p })()",
      "AbortError",
    ],
    ["(async () => { let n = 0; for await (const _ of M.setInterval(1)) if (++n === 3) return n })()", 3],
  ],
  "node:url": [
    ["new M.URL('a', 'http://x').href", "http://x/a"],
    ["M.parse('http://h:1/p?q#f').pathname", "/p"],
    [
      "[M.fileURLToPath('file:///a%20b'), M.pathToFileURL('/a b').href, M.domainToASCII('ü.de')]",
      ["/a b", "file:///a%20b", "xn--tda.de"],
    ],
    ["M.format({ protocol: 'http', host: 'a' })", "http://a"],
  ],
  "node:util": [
    ["M.inspect({ a: [1, new Map([[1, 2]])] })", "{ a: [ 1, Map(1) { 1 => 2 } ] }"],
    ["M.inspect(new Error('z')).includes('z')", true],
    ["M.format('%s %d %j', 'a', 1, {})", "a 1 {}"],
    ["M.promisify((value, cb) => cb(null, value))(3)", 3],
    ["new Promise((r) => M.callbackify(async () => 4)((_, value) => r(value)))", 4],
    ["M.isDeepStrictEqual([1, { a: 2 }], [1, { a: 2 }])", true],
    ["new M.TextDecoder().decode(new M.TextEncoder().encode('ü'))", "ü"],
    [
      "M.parseArgs({ args: ['--a', 'b'], options: { a: { type: 'boolean' } }, allowPositionals: true }).positionals",
      ["b"],
    ],
    ["M.styleText('red', 'x').includes('x')", true],
    ["M.deprecate(() => 5, 'old')()", 5],
    ["typeof M.debuglog('a')", "function"],
    ["M.stripVTControlCharacters('\\u001b[1mx')", "x"],
  ],
  "node:util/types": [
    ["[M.isUint8Array(Buffer.alloc(1)), M.isDate(new Date()), M.isPromise(0)]", [true, true, false]],
  ],
  "node:zlib": [
    ["String(M.gunzipSync(M.gzipSync('hello')))", "hello"],
    ["done((cb) => M.deflate('q'.repeat(1e6), cb)).then((bytes) => M.inflateSync(bytes).length)", 1_000_000],
    [
      "done((cb) => M.brotliCompress('aaa', cb)).then((bytes) => String(M.brotliDecompressSync(bytes)))",
      "aaa",
    ],
    ["String(M.zstdDecompressSync(M.zstdCompressSync('z')))", "z"],
    ["done((cb) => M.gunzip(Buffer.from('bad'), cb)).catch((error) => error.code)", "Z_DATA_ERROR"],
    [
      "S.Readable.from(['stream']).pipe(M.createGzip()).toArray().then((all) => String(M.gunzipSync(Buffer.concat(all))))",
      "stream",
    ],
    ["M.crc32('a')", 3904355907],
  ],
};

function pluginOf(module: string): string {
  const uses = (USES[module] ?? []).map(([use]) => `async () => (${use})`);
  return `import * as M from "${module}"; import * as S from "node:stream";
    const done = (run) => new Promise((resolve, reject) => run((error, value) => (error ? reject(error) : resolve(value))));
    const uses = [${uses.join(",\n")}];
    export default { async on_alert() {
      const answers = [];
      for (const use of uses) answers.push(await use().catch((error) => "threw " + error));
      return answers;
    } };`;
}

test("each of them is used here", () => {
  expect(Object.keys(USES).toSorted()).toEqual([...PURE_BUILTINS].toSorted());
});

const PROGRAMS = [
  ["from source", undefined],
  ...(needs("compiled") ? [["compiled", EXECUTABLE] as const] : []),
] as const;

describe.skipIf(!canConfine).each(PROGRAMS)("%s", (_how, executable) => {
  test.each(PURE_BUILTINS.map((name) => [name]))("%s works in a sealed process", async (name) => {
    const door = recordedDoor();
    await using rooms = processRooms(executable);
    const room = await rooms.open(pluginOf(name), door);
    const answers = await room.call("on_alert", {}, { deadlineMs: 10_000 });
    expect(answers).toEqual((USES[name] ?? []).map(([, gives]) => gives));
    expect(door.lines).toEqual([]);
  });
});
