import { describe, expect, test } from "bun:test";
import {
  makeAddressPolicy,
  parsePrivateRule,
  refusalOf,
  type PrivateRule,
} from "../../../../src/platform/http/address-policy.ts";

const PUBLIC = `
1.0.0.1 1.1.1.1 8.8.8.8 9.255.255.255 11.0.0.0 13.107.6.152 34.1.2.3 52.0.0.1 93.184.216.34 100.63.255.255 100.128.0.0
126.255.255.255 128.0.0.0 129.6.15.28 151.101.1.69 168.63.129.15 168.63.129.17 169.253.255.255 169.255.0.0
172.15.255.255 172.32.0.0 185.199.108.153 191.255.255.255 192.0.1.0 192.0.3.0 192.88.98.255 192.88.100.0
192.167.255.255 192.169.0.0 198.17.255.255 198.20.0.0 198.51.99.255 198.51.101.0 203.0.112.255 203.0.114.0
223.255.255.255 2001:200::1 2001:4860:4860::8888 2400:cb00::1 2606:4700:4700::1111 2620:fe::fe 2a00:1450:4001::1
2a03:2880::1 2c0f:fb50::1 2003::1 3ffe::1 3fff:1000::1 2620:4f:7fff::1 2001:db7::1 2001:db9::1
`;

const REFUSED: Readonly<Record<string, string>> = {
  "a loopback address": "127.0.0.0 127.0.0.1 127.1.2.3 127.255.255.255 ::1 0:0:0:0:0:0:0:1 0000::0001",
  "a private address": `10.0.0.0 10.0.0.1 10.255.255.255 172.16.0.0 172.17.0.1 172.31.255.255 192.168.0.0 192.168.1.1
    192.168.255.255 fc00:: fc00::1 fd00::1 fd12:3456:789a::1 fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff FD00::1`,
  "a link-local address": `169.254.0.0 169.254.1.1 169.254.169.253 169.254.169.255 169.254.255.255 fe80:: fe80::1
    fe80::a00:27ff:fe4e:66a1 febf:ffff::1 fe90::1`,
  "a cloud metadata address":
    "169.254.169.254 169.254.170.2 168.63.129.16 100.100.100.200 192.0.0.192 fd00:ec2::254",
  "a carrier-grade NAT address": "100.64.0.0 100.64.0.1 100.100.100.201 100.127.255.255",
  "an unspecified address": "0.0.0.0 0.0.0.1 0.1.2.3 0.255.255.255 :: 0:0:0:0:0:0:0:0",
  "a multicast address":
    "224.0.0.0 224.0.0.1 239.255.255.250 239.255.255.255 ff00:: ff02::1 ff02::fb ff05::2 ff0e::1 ffff::1",
  "a broadcast address": "255.255.255.255",
  "a reserved address": `192.0.0.0 192.0.0.1 192.0.0.255 192.31.196.1 192.52.193.1 192.175.48.1 240.0.0.0 240.0.0.1
    250.1.2.3 255.255.255.254 2001:1::1 2001:2::1 2001:10::1 2001:20::1 2001:1ff::1 2620:4f:8000::1 4000::1 5f00::1
    8000::1 e000::1 200::1 1000::1 fe00::1 64:ff9c::1 1::1`,
  "a documentation address": `192.0.2.0 192.0.2.255 198.51.100.0 198.51.100.7 203.0.113.0 203.0.113.255 2001:db8::
    2001:db8::1 2001:db8:ffff::1 3fff::1 3fff:fff::1`,
  "a benchmark address": "198.18.0.0 198.18.0.1 198.19.255.255",
  "a 6to4 relay address": "192.88.99.0 192.88.99.1",
  "a 6to4 address": "2002:: 2002:7f00:1:: 2002:a00:1::1 2002:808:808::1",
  "a Teredo address": "2001:: 2001::1 2001:0:53aa:64c:1:2:3:4",
  "a NAT64 address": "64:ff9b:: 64:ff9b::7f00:1 64:ff9b::a9fe:a9fe 64:ff9b::8.8.8.8 64:ff9b:1::1",
  "an IPv4-mapped address":
    // The library reads a compatible address in dotted form as a mapped one.
    "::127.0.0.1 ::8.8.8.8 ::ffff:127.0.0.1 ::ffff:7f00:1 ::ffff:10.0.0.1 ::ffff:169.254.169.254 ::ffff:8.8.8.8 0:0:0:0:0:ffff:0:1",
  "an IPv4-compatible address": "::7f00:1 ::2 ::a00:1 ::ffff:0 0:0:0:0:0:0:808:808",
  "a discard address": "100:: 100::1 100::ffff:ffff:ffff:ffff",
  "a site-local address": "fec0:: fec0::1 feff::1",
  "not a plain IP address": `localhost 127.1 127.0.1 2130706433 0x7f000001 0x7f.0.0.1 0177.0.0.1 017700000001 127.0.0.01
    8.8.8.8.8 256.0.0.1 8.8.8 fe80::1%eth0 ::1%1 [::1] 1.1.1.1/32 2606:4700::1111::1 12345::1 8.8.8.8. example.com -1`,
};

function words(text: string): string[] {
  return text.trim().split(/\s+/);
}

describe("refusalOf", () => {
  test.each(words(PUBLIC))("%s is public", (address) => {
    expect(refusalOf(address)).toBeUndefined();
  });

  const cases = Object.entries(REFUSED).flatMap(([reason, text]) =>
    words(text).map((address) => [address, reason] as const),
  );
  test.each(cases)("%s is %s", (address, reason) => {
    expect(refusalOf(address)).toBe(reason);
  });

  test.each(["", " 8.8.8.8", "8.8.8.8 ", "8.8.8.8\0", "8.8.8.8\n"])(
    "%j is not read as an address",
    (text) => {
      expect(refusalOf(text)).toBe("not a plain IP address");
    },
  );

  test("the table is as long as it claims", () => {
    expect(cases.length + words(PUBLIC).length).toBeGreaterThanOrEqual(150);
  });
});

describe("parsePrivateRule", () => {
  test.each([
    "10.0.0.0/8",
    "10.1.2.3/32",
    "0.0.0.0/0",
    "fd00::/8",
    "::1/128",
    "localhost:8080",
    "db.internal:5432",
    "127.0.0.1:9000",
    "[::1]:9000",
    "DB.Internal.:1",
  ])("reads %s", (text) => {
    expect(parsePrivateRule(text)).toBeDefined();
  });

  test.each([
    "",
    "10.0.0.1",
    "localhost",
    "10.0.0.0/33",
    "fd00::/129",
    "10/8",
    "010.0.0.0/8",
    "999.0.0.0/8",
    "host/8",
    "localhost:0",
    "localhost:65536",
    "localhost:http",
    "::1:9000",
    "[localhost]:80",
    "[127.0.0.1]:80",
    "[fe80::1%eth0]:80",
    "a b:80",
    "*:80",
    "http://localhost:80",
  ])("refuses %j", (text) => {
    expect(parsePrivateRule(text)).toBeUndefined();
  });
});

describe("makeAddressPolicy", () => {
  function policy(...texts: readonly string[]) {
    const rules = texts.map(parsePrivateRule).filter((rule): rule is PrivateRule => rule !== undefined);
    expect(rules.length).toBe(texts.length);
    return makeAddressPolicy(rules);
  }
  const at = (host: string, port: number) => ({ host, port });

  test("without rules a private address is refused and a public one passes", () => {
    expect(policy()("10.0.0.1", at("x.test", 80))).toBe("a private address");
    expect(policy()("8.8.8.8", at("x.test", 80))).toBeUndefined();
  });

  test("a network opens its addresses, under any name and port, and no others", () => {
    const open = policy("10.1.0.0/16", "fd00::/8");
    expect(open("10.1.255.1", at("x.test", 1))).toBeUndefined();
    expect(open("fd00::7", at("x.test", 1))).toBeUndefined();
    expect(open("10.2.0.1", at("x.test", 1))).toBe("a private address");
    expect(open("::ffff:10.1.0.1", at("x.test", 1))).toBe("an IPv4-mapped address");
  });

  test("a name with a port opens that name at that port only", () => {
    const open = policy("db.internal:5432");
    expect(open("10.0.0.5", at("db.internal", 5432))).toBeUndefined();
    expect(open("10.0.0.5", at("db.internal", 5433))).toBe("a private address");
    expect(open("10.0.0.5", at("other.internal", 5432))).toBe("a private address");
    expect(open("10.0.0.5", at("x.db.internal", 5432))).toBe("a private address");
  });

  test("an address with a port opens that address at that port, whatever name led to it", () => {
    const open = policy("127.0.0.1:9000", "[::1]:9000");
    expect(open("127.0.0.1", at("localhost", 9000))).toBeUndefined();
    expect(open("0:0:0:0:0:0:0:1", at("localhost", 9000))).toBeUndefined();
    expect(open("127.0.0.1", at("localhost", 9001))).toBe("a loopback address");
    expect(open("127.0.0.2", at("localhost", 9000))).toBe("a loopback address");
  });

  test("what is no address is refused even where everything is open", () => {
    expect(policy("0.0.0.0/0", "::/0")("fe80::1%eth0", at("x.test", 80))).toBe("not a plain IP address");
    expect(policy("x.test:80")("garbage", at("x.test", 80))).toBe("not a plain IP address");
  });
});
