import { describe, expect, test } from "bun:test";
import {
  parseDeployInput,
  parseMemory,
  parseServiceName,
} from "../../../../src/engine/deploys/deploy-input.ts";
import { parseCommand } from "../../../../src/engine/deploys/parse-command.ts";
import { parseDomains } from "../../../../src/engine/deploys/parse-domains.ts";
import { parseEnv } from "../../../../src/engine/deploys/parse-env.ts";
import { formatVolume, parseVolume } from "../../../../src/engine/deploys/parse-volume.ts";
import { formatAddress, overlaps, parseAddress } from "../../../../src/engine/edge/address.ts";

/** Rows that parse, and rows that are refused with a text that holds the given words. */
function table<T>(
  name: string,
  parse: (text: string) => T,
  good: readonly (readonly [string, T])[],
  bad: readonly (readonly [string, string])[],
): void {
  describe(name, () => {
    for (const [text, value] of good)
      test(`reads ${JSON.stringify(text)}`, () => expect(parse(text)).toEqual(value));
    for (const [text, words] of bad)
      test(`refuses ${JSON.stringify(text)}`, () => {
        expect(() => parse(text)).toThrow(
          expect.objectContaining({ code: "service.invalid", message: expect.stringContaining(words) }),
        );
      });
  });
}

table(
  "a service's name",
  parseServiceName,
  [
    ["web", "web"],
    ["0-a", "0-a"],
    ["a".repeat(63), "a".repeat(63)],
  ],
  [
    ["", "lower-case"],
    ["-web", "lower-case"],
    ["Web", "lower-case"],
    ["a".repeat(64), "1 to 63"],
    ["../x", '"../x"'],
    ["web\n", "lower-case"],
    ["\u001b[31mred", '"[31mred"'],
  ],
);

table(
  "a command",
  parseCommand,
  [
    ["node server.js", ["node", "server.js"]],
    [`run --name "two words" 'a  b' ""`, ["run", "--name", "two words", "a  b", ""]],
    [`sh -c 'a && b > c'`, ["sh", "-c", "a && b > c"]],
    [`echo "$HOME|x"`, ["echo", "$HOME|x"]],
    ["serve --price=5$", ["serve", "--price=5$"]],
  ],
  [
    ["a && b", '"&&" needs one'],
    ["a || b", '"||" needs one'],
    ["a | b", '"|" needs one'],
    ["a > log", '">" needs one'],
    ["a < in", '"<" needs one'],
    ["a; b", '";" needs one'],
    ["a &", '"&" needs one'],
    ["echo `id`", "needs one"],
    ["echo $(id)", "needs one"],
    ["echo $HOME", '"$HOME" needs one'],
    ["echo ${HOME}", '"${HOME}" needs one'],
    [`say "hello`, "never closed"],
    [`"" x`, "program's name"],
    ["a\0b", "NUL"],
  ],
);

table(
  "memory",
  parseMemory,
  [
    ["512m", 512 * 2 ** 20],
    ["1g", 2 ** 30],
    ["1.5GiB", 1.5 * 2 ** 30],
    ["65536k", 2 ** 26],
    ["8388608", 2 ** 23],
    ["64 MB", 2 ** 26],
  ],
  [
    ["", "size such as"],
    ["lots", '"lots"'],
    ["-1g", "size such as"],
    ["512", "at least 6m"],
    ["1e9", "size such as"],
    ["99999999t", "size such as"],
  ],
);

table(
  "a published address",
  (text) => formatAddress(parseAddress(text)),
  [
    ["8080", "0.0.0.0:8080"],
    ["127.0.0.1:80", "127.0.0.1:80"],
    ["[::1]:443", "[::1]:443"],
    ["[0:0::1]:443", "[::1]:443"],
    ["65535", "0.0.0.0:65535"],
  ],
  [
    ["", "[ADDRESS:]PORT"],
    ["0", "[ADDRESS:]PORT"],
    ["65536", "[ADDRESS:]PORT"],
    ["localhost:80", "IP address"],
    [":80", "IP address"],
    ["1.2.3:80", "IP address"],
    ["::1:80", "IP address"],
    ["[fe80::1%eth0]:80", "IP address"],
    ["80:8080", "IP address"],
    ["80/udp", "IP address"],
  ],
);

table(
  "a volume",
  (text) => formatVolume(parseVolume(text)),
  [
    ["data:/var/lib/app", "data:/var/lib/app"],
    ["/srv/site:/site:ro", "/srv/site:/site:ro"],
    ["data:/d:rw", "data:/d"],
  ],
  [
    ["data", "SOURCE:TARGET"],
    ["a:/b:ro:x", "SOURCE:TARGET"],
    ["./x:/data", "absolute path of the host"],
    ["../x:/data", "absolute path of the host"],
    ["/srv/../etc:/data", "absolute path of the host"],
    ["/:/host", "absolute path of the host"],
    ["data:relative", "inside the instance"],
    ["data:/", "inside the instance"],
    ["data:/a//b", "inside the instance"],
    ["data:/d:rx", ":ro, :rw"],
  ],
);

table(
  "domains",
  (text) => parseDomains(text.split(" "))[0],
  [
    ["App.Example.COM.", "app.example.com"],
    ["localhost", "localhost"],
    ["bücher.example", "xn--bcher-kva.example"],
    ["*.X.com", "*.x.com"],
    ["X.com/Api/v1/", "x.com/Api/v1"],
    ["*.x.com/api", "*.x.com/api"],
    ["x.com/", "x.com"],
  ],
  [
    ["", "host name"],
    ["http://x.com", "host name"],
    ["x.com/a//b", "host name"],
    ["x.com/a/../b", "host name"],
    ["x.com/%61", "host name"],
    ["x.com/a?b", "host name"],
    ["*", "host name"],
    ["a.*.x.com", "host name"],
    ["x.com:80", "host name"],
    ["-x.com", "host name"],
    ["10.0.0.1", "host name"],
    [`${"a".repeat(64)}.com`, "host name"],
  ],
);

test("an environment's values never show in an error", () => {
  expect(parseEnv({ A: "", _b1: "x=y" })).toEqual({ A: "", _b1: "x=y" });
  for (const env of [
    { "1A": "hunter2" },
    { "A B": "hunter2" },
    { A: "hunter2\0" },
    { A: "hunter2".repeat(2e5) },
  ])
    expect(() => parseEnv(env as unknown as Record<string, string>)).toThrow(
      expect.objectContaining({ code: "service.invalid", message: expect.not.stringContaining("hunter2") }),
    );
});

test("what is said is parsed, what takes away is undefined, what is not said has no key", () => {
  const { changes } = parseDeployInput({
    service: "web",
    port: 3000,
    publish: "none",
    health: "none",
    memory: "none",
    cpus: 0,
    command: " ",
    domains: ["a.example.com", "A.example.com"],
  });
  expect(changes).toEqual({
    port: 3000,
    publish: undefined,
    health: undefined,
    memoryBytes: undefined,
    cpus: undefined,
    command: undefined,
    domains: ["a.example.com"],
  });
  expect(Object.keys(changes)).not.toContain("volumes");
});

test("numbers and words outside their range are refused", () => {
  for (const wrong of [
    { port: 70_000 },
    { port: 1.5 },
    { port: Number.NaN },
    { cpus: -1 },
    { cpus: Number.NaN },
    { restart: "unless-stopped" },
    { health: "healthz" },
    { health: "/a\r\nHost: x" },
    { healthTimeoutMs: 0 },
    { image: "--privileged" },
    { image: "a b" },
    { image: "nginx", upload: "u" },
  ])
    expect(() => parseDeployInput({ service: "web", ...wrong })).toThrow(
      expect.objectContaining({ code: "service.invalid" }),
    );
});

test("addresses overlap when one listener would be in the way of the other", () => {
  const pairs: readonly [string, string, boolean][] = [
    ["8080", "127.0.0.1:8080", true],
    ["127.0.0.1:8080", "127.0.0.2:8080", false],
    ["8080", "8081", false],
    ["[::]:8080", "127.0.0.1:8080", true],
  ];
  for (const [a, b, expected] of pairs) expect(overlaps(parseAddress(a), parseAddress(b))).toBe(expected);
});
