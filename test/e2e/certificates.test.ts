/** Certificates with the compiled daemon: the libraries that issue them, the command line, keys that no one is shown. */
import { describe, expect, test } from "bun:test";
import { X509Certificate } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { connect } from "node:tls";
import { makeCertificate } from "../certificate.ts";
import { freePort, needs, until } from "../harness.ts";
import { startPebble, type Pebble } from "../pebble.ts";
import { makeMachine, type Machine } from "./machine.ts";

const LIMIT_MS = 120_000;
const APP = 'Bun.serve({ port: Number(process.env.PORT), fetch: () => new Response("hello") });';

interface View {
  readonly domain: string;
  readonly service: string;
  readonly source: string | null;
  readonly state: string;
  readonly issuer: string | null;
  readonly notAfter: string | null;
  readonly problem: string | null;
  readonly error: string | null;
}

interface CertEventView {
  readonly data: { readonly domain: string; readonly ok: boolean; readonly issuer: string };
}

async function deploy(machine: Machine, service: string, ...domains: readonly string[]): Promise<void> {
  const folder = machine.write(`app-${service}`, { "index.ts": APP });
  const named = domains.flatMap((domain) => ["--domain", domain]);
  const answer = await machine.cli("deploy", service, "--path", folder, "--port", "1", ...named);
  if (answer.status !== 0) throw new Error(answer.stderr);
}

async function viewOf(machine: Machine, domain: string): Promise<View | undefined> {
  return (await machine.json<View[]>("cert", "list")).find((view) => view.domain === domain);
}

function configuration(ports: { readonly http: number; readonly https: number }, tls: string): string {
  return `[providers]
default = "process"
[proxy]
http = "127.0.0.1:${ports.http}"
https = "127.0.0.1:${ports.https}"
[tls]
${tls}`;
}

function acmeBy({ directory, caFile }: Pebble): string {
  return `acme_directory = "${directory}"\nacme_ca_file = "${caFile}"\n`;
}

/** A connection that stays, to whom the authority vouches for. */
async function secureLine(port: number, name: string, ca: string) {
  const socket = connect({ host: "127.0.0.1", port, servername: name, ca });
  await new Promise<void>((resolve, reject) => {
    socket.once("secureConnect", () => resolve());
    socket.once("error", reject);
    socket.once("close", () => reject(new Error("closed")));
  });
  let seen = "";
  socket.on("data", (data: Buffer) => void (seen += data.toString()));
  return {
    serial: socket.getPeerCertificate().serialNumber,
    async ask() {
      seen = "";
      socket.write(`GET / HTTP/1.1\r\nHost: ${name}\r\n\r\n`);
      return until(() => seen.includes("hello") && seen, { what: "an answer" });
    },
    close: () => socket.destroy(),
  };
}

describe.skipIf(!needs("compiled"))("certificates with the compiled daemon", () => {
  test(
    "are self-signed where that is wanted, listed, renewed on demand, and kept over a restart",
    async () => {
      const ports = { http: freePort(), https: freePort() };
      await using machine = makeMachine(configuration(ports, 'mode = "self-signed"\n'));
      await machine.start();
      const empty = await machine.cli("cert", "list");
      expect(empty.stdout).toBe("no domain needs a certificate\n");
      await deploy(machine, "web", "app.localhost");
      const first = await until(
        async () => {
          const view = await viewOf(machine, "app.localhost");
          return view?.state === "valid" ? view : undefined;
        },
        { timeoutMs: 30_000, what: "a certificate" },
      );
      expect(first).toMatchObject({ service: "web", source: "self-signed", issuer: "self-signed" });
      const { stdout } = await machine.cli("cert", "list");
      expect(stdout).toMatch(/^DOMAIN +ISSUER +NOT AFTER +STATE +NEXT TRY +LAST ERROR\n/);
      expect(stdout).toContain(`app.localhost  self-signed  ${first.notAfter}  valid`);

      const renewed = await machine.cli("cert", "renew", "app.localhost");
      expect(renewed).toMatchObject({ status: 0, stderr: "" });
      expect(renewed.stdout).toMatch(/^✓ app\.localhost: good until .*, issued by self-signed\n$/);
      const events = await machine.cli("events", "--hook", "on_cert_renew", "--json");
      expect(events.stdout.trim().split("\n")).toHaveLength(2);
      const after = await viewOf(machine, "app.localhost");

      expect((await machine.cli("cert", "renew")).stdout).toBe("no certificate has to be renewed\n");
      const unknown = await machine.cli("cert", "renew", "app.localhots");
      expect(unknown.status).toBe(4);
      expect(unknown.stderr).toContain("did you mean app.localhost?");

      await machine.end("SIGKILL");
      await machine.start();
      expect(await viewOf(machine, "app.localhost")).toEqual(after);
      expect(machine.log()).not.toContain("PRIVATE KEY");
      const state = readFileSync(join(machine.dataDir, "voxeltron.db"), "latin1");
      expect(state).not.toContain("PRIVATE KEY");
    },
    LIMIT_MS,
  );

  test(
    "are taken from files, and what can't be used is said",
    async () => {
      const ports = { http: freePort(), https: freePort() };
      await using machine = makeMachine();
      const { cert, key } = makeCertificate("web.example.com");
      const folder = machine.write("tls", { "cert.pem": cert, "key.pem": key });
      const files = `[tls.files.web]\ncert = "${folder}/cert.pem"\nkey = "${folder}/key.pem"\n`;
      machine.configure(configuration(ports, `mode = "files"\n${files}`));
      await machine.start();
      await deploy(machine, "web", "web.example.com", "other.example.com");
      expect(await viewOf(machine, "web.example.com")).toMatchObject({
        source: "file",
        state: "valid",
        notAfter: new X509Certificate(cert).validToDate.toISOString(),
      });
      expect(await viewOf(machine, "other.example.com")).toMatchObject({
        state: "missing",
        problem: "misconfigured",
      });
      writeFileSync(join(folder, "key.pem"), makeCertificate("x").key);
      const refused = await machine.cli("cert", "renew", "web.example.com");
      expect(refused.status).toBe(1);
      expect(refused.stdout).toBe(
        "✗ web.example.com: tls.files.web: the key does not belong to the certificate\n",
      );
      expect(machine.log()).toContain("a certificate's files can't be used");
    },
    LIMIT_MS,
  );
});

describe.skipIf(!needs("compiled") || !needs("pebble"))("an ACME authority and the compiled daemon", () => {
  test(
    "issue through the proxy what it then serves, and a renewal disturbs no connection",
    async () => {
      await using pebble = await startPebble();
      await pebble.resolve("web.example.com", "127.0.0.1");
      const ports = { http: pebble.challengePort, https: freePort() };
      await using machine = makeMachine(configuration(ports, acmeBy(pebble)));
      await machine.start();
      await deploy(machine, "web", "web.example.com");
      await until(async () => (await viewOf(machine, "web.example.com"))?.state === "valid", {
        timeoutMs: 60_000,
        what: "a certificate",
      });
      const ca = await pebble.root();
      const first = await secureLine(ports.https, "web.example.com", ca);
      expect(await first.ask()).toContain("hello");
      // Who comes in plain is sent on, and the authority's questions are not.
      const plain = await fetch(`http://127.0.0.1:${ports.http}/x`, {
        headers: { host: "web.example.com" },
        redirect: "manual",
      });
      expect(plain.headers.get("location")).toBe(`https://web.example.com:${ports.https}/x`);
      expect(await machine.cli("cert", "renew", "web.example.com")).toMatchObject({ status: 0 });
      const second = await secureLine(ports.https, "web.example.com", ca);
      expect(second.serial).not.toBe(first.serial);
      expect(await second.ask()).toContain("hello");
      expect(await first.ask()).toContain("hello");
      first.close();
      second.close();
      const stranger = await secureLine(ports.https, "other.example.com", ca).then(
        () => "served",
        () => "refused",
      );
      expect(stranger).toBe("refused");
      expect(machine.log()).not.toContain("PRIVATE KEY");
    },
    LIMIT_MS,
  );

  test(
    "go on with an order after kill -9",
    async () => {
      await using pebble = await startPebble();
      await pebble.resolve("web.example.com", "127.0.0.1");
      const reached = Promise.withResolvers<void>();
      const never = Promise.withResolvers<string>();
      pebble.rewrite = (path, body) => {
        if (!path.startsWith("/finalize-order/")) return body;
        reached.resolve();
        return never.promise;
      };
      const ports = { http: pebble.challengePort, https: freePort() };
      await using machine = makeMachine(configuration(ports, acmeBy(pebble)));
      await machine.start();
      await deploy(machine, "web", "web.example.com");
      await reached.promise;
      await machine.end("SIGKILL");
      never.resolve("");
      pebble.rewrite = (_path, body) => body;
      await machine.start();
      await until(async () => (await viewOf(machine, "web.example.com"))?.state === "valid", {
        timeoutMs: 60_000,
        what: "a certificate",
      });
      expect(pebble.asked.filter((line) => line === "POST /order-plz")).toHaveLength(1);
      const line = await secureLine(ports.https, "web.example.com", await pebble.root());
      expect(await line.ask()).toContain("hello");
      line.close();
    },
    LIMIT_MS,
  );

  test(
    "come to terms: account, order, and what the authority says of a domain that it can't reach",
    async () => {
      await using pebble = await startPebble();
      const ports = { http: freePort(), https: freePort() };
      await using machine = makeMachine(configuration(ports, acmeBy(pebble)));
      await machine.start();
      await deploy(machine, "web", "lost.example.com");
      const failed = await until(
        async () => {
          const view = await viewOf(machine, "lost.example.com");
          return view?.problem === null ? undefined : view;
        },
        { timeoutMs: 60_000, what: "the authority's word" },
      );
      expect(failed).toMatchObject({
        source: "acme",
        state: "missing",
        error: expect.stringContaining("lost.example.com"),
      });
      expect(["dns", "validation"]).toContain(failed.problem!);
      const events = (await machine.cli("events", "--hook", "on_cert_renew", "--json")).stdout;
      expect((JSON.parse(events) as CertEventView).data).toMatchObject({
        domain: "lost.example.com",
        ok: false,
      });
      const { status, stdout } = await machine.cli("cert", "renew", "lost.example.com");
      expect(status).toBe(1);
      expect(stdout).toMatch(
        /^✗ lost\.example\.com: the authority could not make sure of lost\.example\.com: .*; the next try is at /,
      );
    },
    LIMIT_MS,
  );
});
