import { describe, expect, test } from "bun:test";
import { isVoxError } from "../../../../src/base/errors.ts";
import { parsePlace, parseTarget } from "../../../../src/platform/http/target.ts";

function codeOf(url: string): string | undefined {
  try {
    parseTarget(url);
    return undefined;
  } catch (error) {
    return isVoxError(error) ? error.code : "not a VoxError";
  }
}

describe("parseTarget", () => {
  test("gives the parts that are checked and connected to", () => {
    expect(parseTarget("https://User.Example:8443/a b?c=ü#frag")).toEqual({
      scheme: "https",
      host: "user.example",
      port: 8443,
      origin: "https://user.example:8443",
      authority: "user.example:8443",
      isAddress: false,
      path: "/a%20b?c=%C3%BC",
      pathname: "/a%20b",
    });
  });

  test.each([
    ["http://127.0.0.1/", "127.0.0.1"],
    ["http://127.1/", "127.0.0.1"],
    ["http://2130706433/", "127.0.0.1"],
    ["http://017700000001/", "127.0.0.1"],
    ["http://0x7f.1/", "127.0.0.1"],
    ["http://0x7F000001/", "127.0.0.1"],
    ["http://127.0.0.1./", "127.0.0.1"],
    ["http://１２７.0.0.1/", "127.0.0.1"],
    ["http://%31%32%37.0.0.1/", "127.0.0.1"],
    ["http://\u00ad127.0.0.1/", "127.0.0.1"],
    ["http://127。0。0。1/", "127.0.0.1"],
    ["http://0/", "0.0.0.0"],
    ["http://0xa9fea9fe/", "169.254.169.254"],
    ["http://169.16689662/", "169.254.169.254"],
    ["http://[::1]/", "::1"],
    ["http://[0:0:0:0:0:0:0:1]/", "::1"],
    ["http://[::ffff:127.0.0.1]/", "::ffff:7f00:1"],
    ["http://[::127.0.0.1]/", "::7f00:1"],
  ])("%s is seen as the address %s", (url, host) => {
    expect(parseTarget(url)).toMatchObject({ host, isAddress: true });
  });

  test.each([
    ["http://LOCALHOST/", "localhost"],
    ["http://localhost./", "localhost"],
    ["http://ⓛocalhost/", "localhost"],
    ["http://example.com./", "example.com"],
    ["http://h%2ecom/", "h.com"],
    ["http://bücher.example/", "xn--bcher-kva.example"],
    ["http://a_b.example/", "a_b.example"],
    ["http://a.com\\@b.com/", "a.com"],
    ["http:a.com", "a.com"],
  ])("%s is seen as the name %s", (url, host) => {
    expect(parseTarget(url)).toMatchObject({ host, isAddress: false });
  });

  test("a trailing dot disappears from what is sent, too", () => {
    expect(parseTarget("https://example.com.:444/")).toMatchObject({
      authority: "example.com:444",
      origin: "https://example.com:444",
    });
  });

  test("a host whose parser would take the square of its length is not given to it", () => {
    const marks = "\u0301\u0323".repeat(1000);
    expect(() => parseTarget(`https://a${marks}.test/`)).toThrow("at most 256 characters beyond ASCII");
    expect(parseTarget(`https://a.test/${"ü".repeat(200)}`).host).toBe("a.test");
  });

  test("a scheme's own port is not written", () => {
    expect(parseTarget("https://a.test:443/").authority).toBe("a.test");
    expect(parseTarget("http://[2606:4700::1]:81/").authority).toBe("[2606:4700::1]:81");
  });

  test.each([
    "",
    "/relative",
    "example.com",
    "//example.com/",
    "http://",
    "http://a..b/",
    "http://a.com../",
    "http://user:secret@a.com/",
    "http://user@a.com/",
    "http://$(reboot).example.com/",
    "http://a;b.com/",
    "http://a'b.com/",
    "http://a`b.com/",
    "http://a!b.com/",
    "http://-a.com/",
    "http://a-.com/",
    "http://[fe80::1%25eth0]/",
    "http://[::1/",
    "http://1.2.3.4.5/",
    "http://256.0.0.1/",
    "http://127.0.0.1:65536/",
    `http://${"a".repeat(64)}.com/`,
    `http://${"a.".repeat(130)}com/`,
    `http://a.com/${"x".repeat(9000)}`,
  ])("%j is no URL that can be fetched", (url) => {
    expect(codeOf(url)).toBe("capability.invalid_params");
  });

  test.each([
    "file:///etc/passwd",
    "ftp://a.com/",
    "data:text/plain,x",
    "blob:http://a.com/x",
    "unix:///var/run/docker.sock",
    "ws://a.com/",
    "s3://bucket/key",
    "javascript:1",
    "http://a.com:22/",
    "http://a.com:25/",
    "https://a.com:6667/",
    "http://a.com:0/",
  ])("%j is out of every scope", (url) => {
    expect(codeOf(url)).toBe("capability.out_of_scope");
  });

  test("an error never repeats a password", () => {
    expect(() => parseTarget("http://user:hunter2@a.com/")).toThrow(/^(?!.*hunter2)/);
  });
});

describe("parsePlace", () => {
  test.each([
    ["db.example.com", "db.example.com", false, "db.example.com:5432"],
    ["DB.Example.COM.", "db.example.com", false, "db.example.com:5432"],
    ["münchen.example", "xn--mnchen-3ya.example", false, "xn--mnchen-3ya.example:5432"],
    ["93.184.216.34", "93.184.216.34", true, "93.184.216.34:5432"],
    ["0x5d.184.55330", "93.184.216.34", true, "93.184.216.34:5432"],
    ["2606:4700::1", "2606:4700::1", true, "[2606:4700::1]:5432"],
    ["[2606:4700:0::1]", "2606:4700::1", true, "[2606:4700::1]:5432"],
  ])("%s", (text, host, isAddress, authority) => {
    expect(parsePlace(text, 5432)).toEqual({ host, isAddress, authority, port: 5432 });
  });

  test("any port is one", () => {
    expect(parsePlace("mail.example.com", 25).port).toBe(25);
  });

  test.each([
    "",
    "a.test:80",
    "a.test/b",
    "a@b.test",
    "a b.test",
    "a.test\r\n",
    "%61.test",
    "[::1",
    "::1%lo",
    "*.test",
    "a..test",
    "-",
    "x".repeat(300),
  ])("%j is no host", (text) => {
    expect(() => parsePlace(text, 80)).toThrow(
      expect.objectContaining({ code: "capability.invalid_params" }),
    );
  });
});
