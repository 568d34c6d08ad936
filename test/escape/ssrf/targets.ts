/**
 * Ways to write where a plugin must not come, as data: hosts, whole URLs, places that a redirect names, and names that a name server
 * answers with inner addresses. world.ts tries each of them; ssrf.test.ts says what must come of it.
 */

/** `address`: it is one, and closed. `spelling`: it is no host at all. */
export type Refusal = "address" | "spelling";

export interface HostTarget {
  readonly host: string;
  readonly fetch: Refusal;
  readonly connect: Refusal;
  /** Whether a connection comes about once the operator allows every address. */
  readonly reaches: boolean;
}

export const HOSTS: readonly HostTarget[] = [
  ...closed([
    // The loopback in the spellings that parsers of the last forty years took.
    "127.0.0.1",
    "127.0.0.1.",
    "127.1",
    "127.0.1",
    "127.0x1",
    "127.255.255.254",
    "127.000.000.001",
    "127.0.0.01",
    "2130706433",
    "017700000001",
    "0x7f000001",
    "0x7F.1",
    "0x7f.0.0.1",
    "0x7f.0x0.0x0.0x1",
    "0177.0.0.1",
    "0177.0.0.01",
    "00000177.0.0.1",
    "0",
    "00",
    "0x0",
    "0x",
    "0.0.0.0",
    "0.0.0.1",
    "localhost",
    "LOCALHOST",
    "localhost.",
    // Unicode that becomes ASCII on the way.
    "１２７.0.0.1",
    "１２７．０．０．１",
    "127。0。0。1",
    "127｡0｡0｡1",
    "①②⑦.⓪.⓪.①",
    "¹²⁷.0.0.1",
    "𝟏𝟐𝟕.𝟎.𝟎.𝟏",
    "𝟘𝕩𝟟𝕗.1",
    "127.0.0\u00ad.1",
    "127.0.0\u200b.1",
    "ⓛⓞⓒⓐⓛⓗⓞⓢⓣ",
    "ｌｏｃａｌｈｏｓｔ",
    "local\u00adhost",
    // The loopback in IPv6, and IPv4 in its clothes.
    "[::1]",
    "[0:0:0:0:0:0:0:1]",
    "[0000:0000:0000:0000:0000:0000:0000:0001]",
    "[::0001]",
    "[::]",
    "[::ffff:127.0.0.1]",
    "[::FFFF:7F00:1]",
    "[0:0:0:0:0:ffff:127.0.0.1]",
    "[::ffff:0.0.0.0]",
    "[::ffff:169.254.169.254]",
    "[::ffff:10.0.0.1]",
    "[::ffff:93.184.216.34]",
    "[::127.0.0.1]",
    "[::7f00:1]",
    "[::ffff:0:127.0.0.1]",
    "[64:ff9b::127.0.0.1]",
    "[64:ff9b::a9fe:a9fe]",
    "[64:ff9b:1::127.0.0.1]",
    "[2002:7f00:1::]",
    "[2002:a9fe:a9fe::1]",
    "[2001:0:7f00:1::]",
    "[2001:0:4136:e378:8000:63bf:80ff:fffe]",
    // Metadata of the clouds.
    "169.254.169.254",
    "2852039166",
    "0xa9fea9fe",
    "0xA9.0xFE.0xA9.0xFE",
    "0251.0376.0251.0376",
    "169.16689662",
    "169.254.43518",
    "169.254.170.2",
    "168.63.129.16",
    "100.100.100.200",
    "192.0.0.192",
    "[fd00:ec2::254]",
    "[fd20:ce::254]",
    // Inner networks: private, of carriers, of documentation, benchmarks, Docker's bridge.
    "10.0.0.1",
    "10.255.255.255",
    "167772161",
    "172.16.0.1",
    "172.17.0.1",
    "172.31.255.255",
    "192.168.0.1",
    "192.168.257",
    "169.254.0.1",
    "100.64.0.1",
    "100.127.255.254",
    "192.0.0.1",
    "192.0.2.1",
    "192.88.99.1",
    "198.18.0.1",
    "198.19.255.254",
    "198.51.100.1",
    "203.0.113.1",
    "240.0.0.1",
    "[fc00::1]",
    "[fdff:ffff::1]",
    "[fec0::1]",
    "[100::1]",
    "[2001:db8::1]",
    "[2001:20::1]",
    "[3fff::1]",
    "[5f00::1]",
    "[4000::1]",
  ]),
  // To these nothing can be connected, whatever is allowed.
  ...closed(
    [
      "224.0.0.1",
      "239.255.255.250",
      "255.255.255.255",
      "4294967295",
      "[fe80::1]",
      "[fe80::a9fe:a9fe]",
      "[ff02::1]",
      "[ff05::1:3]",
    ],
    { reaches: false },
  ),
  // A URL decodes these; a host by itself is not encoded.
  ...closed(["127%2e0%2e0%2e1", "%31%32%37.1", "loc%61lhost", "127.0.0.1%2e"], { connect: "spelling" }),
  ...closed(
    [
      "[::1%25lo]",
      "[::1%lo]",
      "[fe80::1%251]",
      "[::1",
      "[127.0.0.1]",
      "[::ffff:127.1]",
      "[::ffff:0177.0.0.1]",
      "[::1].test",
      "127.0.0.1.1",
      "256.0.0.1",
      "0x7f.0.0.0x1ff",
      "127.0.0.09",
      "4294967296",
      "-1",
      "127..1",
      "127.0.0.1%00.public.test",
      "127.0.0.1\u0000.public.test",
      "127.0.0.1 .public.test",
      "127.0.0.1<.public.test",
      "127.0.0.1|public.test",
      "127.0.0.1^public.test",
      "xn--127-.test",
      "",
      ".",
    ],
    { fetch: "spelling", connect: "spelling", reaches: false },
  ),
];

/** Only a URL can say these. `PORT` stands for the canary's. `reaches`: what it says, once every address is allowed. */
export const URLS: readonly { readonly url: string; readonly code: string; readonly reaches?: true }[] = [
  // Parts of the host's neighbourhood that other parsers take for it.
  { url: "http://127.0.0.1:PORT#@public.test/", code: "capability.out_of_scope", reaches: true },
  { url: "http://127.0.0.1:PORT?@public.test/", code: "capability.out_of_scope", reaches: true },
  { url: "http://127.0.0.1:PORT\\@public.test/", code: "capability.out_of_scope", reaches: true },
  { url: "http://127.0.0.1:PORT/@public.test", code: "capability.out_of_scope", reaches: true },
  { url: "http:\\\\127.0.0.1:PORT\\", code: "capability.out_of_scope", reaches: true },
  { url: "http:/127.0.0.1:PORT/", code: "capability.out_of_scope", reaches: true },
  { url: "http:127.0.0.1:PORT/", code: "capability.out_of_scope", reaches: true },
  { url: "http:////127.0.0.1:PORT/", code: "capability.out_of_scope", reaches: true },
  { url: "HtTp://127.0.0.1:PORT/", code: "capability.out_of_scope", reaches: true },
  { url: " \t\r\nhttp://127.0.0.1:PORT/", code: "capability.out_of_scope", reaches: true },
  {
    url: "ht\ntp://127.0\t.0.1:PO\rRT/".replace("PO\rRT", "\rPORT"),
    code: "capability.out_of_scope",
    reaches: true,
  },
  { url: "http://127.0.0.1:0000PORT/", code: "capability.out_of_scope", reaches: true },
  { url: "https://127.0.0.1:PORT/", code: "capability.out_of_scope" },
  { url: "http://public.test:80@127.0.0.1:PORT/", code: "capability.invalid_params" },
  { url: "http://public.test@127.0.0.1:PORT/", code: "capability.invalid_params" },
  { url: "http://@127.0.0.1:PORT@public.test/", code: "capability.invalid_params" },
  { url: "http://public.test%40127.0.0.1:PORT/", code: "capability.invalid_params" },
  { url: "http://127.0.0.1%0d%0aHost:%20public.test:PORT/", code: "capability.invalid_params" },
  { url: "http://127.0.0.1:PORT:80/", code: "capability.invalid_params" },
  { url: "http://127.0.0.1:99999/", code: "capability.invalid_params" },
  { url: "//127.0.0.1:PORT/", code: "capability.invalid_params" },
  { url: "/etc/passwd", code: "capability.invalid_params" },
  // Other schemes, those that the runtime's own fetch knows among them.
  { url: "file:///etc/passwd", code: "capability.out_of_scope" },
  { url: "unix:///var/run/docker.sock", code: "capability.out_of_scope" },
  { url: "http+unix://%2Fvar%2Frun%2Fdocker.sock/info", code: "capability.out_of_scope" },
  { url: "http://unix:/var/run/docker.sock:/info", code: "network.failed" },
  { url: "data:text/plain,inner", code: "capability.out_of_scope" },
  { url: "blob:http://127.0.0.1:PORT/1", code: "capability.out_of_scope" },
  { url: "s3://127.0.0.1:PORT/bucket", code: "capability.out_of_scope" },
  { url: "ftp://127.0.0.1:PORT/", code: "capability.out_of_scope" },
  { url: "gopher://127.0.0.1:PORT/_GET%20/", code: "capability.out_of_scope" },
  { url: "dict://127.0.0.1:PORT/info", code: "capability.out_of_scope" },
  { url: "ws://127.0.0.1:PORT/", code: "capability.out_of_scope" },
  { url: "jar:http://127.0.0.1:PORT/!/", code: "capability.out_of_scope" },
  { url: "view-source:http://127.0.0.1:PORT/", code: "capability.out_of_scope" },
  { url: "javascript:fetch('http://127.0.0.1:PORT/')", code: "capability.out_of_scope" },
  // Servers of line-based protocols, which would read a request as their own commands.
  { url: "http://public.test:22/", code: "capability.out_of_scope" },
  { url: "http://public.test:25/", code: "capability.out_of_scope" },
  { url: "http://public.test:0/", code: "capability.out_of_scope" },
];

/** What `net.connect` is given beside a host: none of it opens anything else. */
export const CONNECTS: readonly Readonly<Record<string, unknown>>[] = [
  { host: "public.test", port: 0 },
  { host: "public.test", port: 65_536 },
  { host: "public.test", port: 80.5 },
  { host: "public.test", port: "80" },
  { host: "public.test:80", port: 80 },
  { host: "127.0.0.1:80", port: 80 },
  { host: "public.test/127.0.0.1", port: 80 },
  { host: "public.test@127.0.0.1", port: 80 },
  { host: "127.0.0.1\r\npublic.test", port: 80 },
  { host: "127.0.0.1\t", port: 80 },
  { host: " 127.0.0.1", port: 80 },
  { host: "127.0.0.1?", port: 80 },
  { host: "127.0.0.1#public.test", port: 80 },
  { host: "127.0.0.1\\public.test", port: 80 },
  { host: "/var/run/docker.sock", port: 80 },
  { host: "unix:/var/run/docker.sock", port: 80 },
  { host: "a".repeat(300), port: 80 },
  { path: "/var/run/docker.sock" },
  { host: "public.test", port: 80, path: "/var/run/docker.sock" },
  { host: "public.test", port: 80, localAddress: "127.0.0.1" },
  { host: "public.test", port: 80, tls: { rejectUnauthorized: false } },
];

export const REDIRECT_STATUSES = [301, 302, 303, 307, 308] as const;

/** Where a public server may lead. */
export const LOCATIONS = [
  "http://127.0.0.1:PORT/",
  "http://127.1:PORT/",
  "http://2130706433:PORT/",
  "http://0177.0.0.1:PORT/",
  "http://[::1]:PORT/",
  "http://[::ffff:127.0.0.1]:PORT/",
  "//127.0.0.1:PORT/",
  "\\\\127.0.0.1:PORT\\",
  "http://localhost:PORT/",
  "http://loop.test:PORT/",
  "http://169.254.169.254:PORT/latest/meta-data/",
  "http://[fd00:ec2::254]:PORT/",
  "http://172.17.0.1:PORT/",
  "http://%31%32%37.0.0.1:PORT/",
] as const;

export const PUBLIC = "93.184.216.34";

/** What the name server says: all of it at each question, or the entries of `turns` one after the other. */
export interface NameRow {
  readonly name: string;
  readonly a?: readonly string[];
  readonly aaaa?: readonly string[];
  readonly cname?: string;
  /** The only answers are inner addresses. */
  readonly closed?: true;
}

export const NAMES: readonly NameRow[] = [
  { name: "public.test", a: [PUBLIC] },
  { name: "loop.test", a: ["127.0.0.1"], closed: true },
  { name: "127.0.0.1.test", a: ["127.0.0.1"], closed: true },
  { name: "inner.test", a: ["10.0.0.5"], closed: true },
  { name: "bridge.test", a: ["172.17.0.1"], closed: true },
  { name: "zero.test", a: ["0.0.0.0"], closed: true },
  { name: "metadata.test", a: ["169.254.169.254"], closed: true },
  { name: "carrier.test", a: ["100.64.0.1"], closed: true },
  { name: "several.test", a: ["10.0.0.5", "192.168.1.1", "127.0.0.1"], closed: true },
  { name: "six.test", aaaa: ["::1"], closed: true },
  { name: "mapped.test", aaaa: ["::ffff:7f00:1"], closed: true },
  { name: "compatible.test", aaaa: ["::7f00:1"], closed: true },
  { name: "nat64.test", aaaa: ["64:ff9b::7f00:1"], closed: true },
  { name: "sixtofour.test", aaaa: ["2002:7f00:1::"], closed: true },
  { name: "metadata6.test", aaaa: ["fd00:ec2::254"], closed: true },
  { name: "both.test", a: ["127.0.0.1"], aaaa: ["::1"], closed: true },
  { name: "alias.test", cname: "localhost", a: ["127.0.0.1"], closed: true },
  { name: "alias-inner.test", cname: "loop.test", a: ["127.0.0.1"], closed: true },
  { name: "mixed.test", a: ["127.0.0.1", PUBLIC, "10.0.0.5"] },
  { name: "mixed6.test", a: [PUBLIC], aaaa: ["::1"] },
];

// --- internal ---

function closed(
  hosts: readonly string[],
  { fetch = "address", connect = "address", reaches = true }: Partial<HostTarget> = {},
): HostTarget[] {
  return hosts.map((host) => ({ host, fetch, connect, reaches }));
}
