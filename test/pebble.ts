/**
 * A real ACME authority with a name server of its own (Debian's pebble), and a door in front of it that can be told to answer instead of it.
 * Everything ends with the test.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { makeCertificate } from "./certificate.ts";
import { tempDir, until } from "./harness.ts";

export interface Pebble extends AsyncDisposable {
  /** Through the door. */
  readonly directory: string;
  /** What a client must trust to speak to the door, as a file. */
  readonly caFile: string;
  /** Where the authority looks for the answers of HTTP-01. */
  readonly challengePort: number;
  /** What came to the door, as `METHOD path`. */
  readonly asked: string[];
  /** Answers in the authority's place where it gives an answer; undefined: the authority does. */
  intercept: (request: Request, path: string) => Response | undefined | Promise<Response | undefined>;
  /** Changes what the authority has answered, or holds it back. */
  rewrite: (path: string, body: string) => string | Promise<string>;
  /** Where the name leads from now on; nowhere without an address. */
  resolve(name: string, address?: string): Promise<void>;
  /** The authority's root, which signs what signs. */
  root(): Promise<string>;
  /** Ends the authority and starts another in its place, which knows no accounts and no orders. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

export interface PebbleOptions {
  readonly environment?: Readonly<Record<string, string>>;
  /** Who may have an account: key by id. Everybody without. */
  readonly customers?: Readonly<Record<string, string>>;
  /** Seconds that a certificate is good for. */
  readonly lifeSeconds?: number;
}

export async function startPebble(options: PebbleOptions = {}): Promise<Pebble> {
  const dir = tempDir();
  const [acme, management, dns, dnsManagement, challengePort] = [port(), port(), port(), port(), port()];
  const { cert, key } = makeCertificate("127.0.0.1", "localhost");
  const file = (name: string, text: string): string => {
    const path = join(dir.path, name);
    writeFileSync(path, text);
    return path;
  };
  const own = {
    certificate: file("pebble.pem", cert),
    privateKey: file("pebble.key", key),
    listenAddress: `127.0.0.1:${acme}`,
    managementListenAddress: `127.0.0.1:${management}`,
    httpPort: challengePort,
    tlsPort: port(),
    ocspResponderURL: "",
    externalAccountBindingRequired: options.customers !== undefined,
    externalAccountMACKeys: options.customers ?? {},
    domainBlocklist: ["blocked.example.com"],
    ...(options.lifeSeconds === undefined ? {} : { certificateValidityPeriod: options.lifeSeconds }),
  };
  const config = file("pebble.json", JSON.stringify({ pebble: own }));
  const names = Bun.spawn(
    [
      "pebble-challtestsrv",
      `-dns01=127.0.0.1:${dns}`,
      `-management=127.0.0.1:${dnsManagement}`,
      "-http01=",
      "-https01=",
      "-tlsalpn01=",
      "-defaultIPv4=",
      "-defaultIPv6=",
    ],
    { stdout: "ignore", stderr: "ignore" },
  );
  let authority = start();
  await listening();

  function start(): Bun.Subprocess {
    return Bun.spawn(["pebble", "-config", config, "-dnsserver", `127.0.0.1:${dns}`], {
      env: {
        PEBBLE_VA_NOSLEEP: "1",
        PEBBLE_WFE_NONCEREJECT: "0",
        PEBBLE_AUTHZREUSE: "0",
        ...options.environment,
      },
      stdout: "ignore",
      stderr: "ignore",
    });
  }

  async function listening(): Promise<void> {
    const tls = { ca: cert };
    await until(
      () =>
        fetch(`https://127.0.0.1:${acme}/dir`, { tls }).then(
          (answer) => answer.ok,
          () => false,
        ),
      {
        timeoutMs: 15_000,
        what: "pebble",
      },
    );
    await until(
      () =>
        tellNames("clear-a", { host: "nobody.example.com" }).then(
          () => true,
          () => false,
        ),
      {
        timeoutMs: 15_000,
        what: "the name server",
      },
    );
  }

  async function tellNames(what: string, body: unknown): Promise<void> {
    const answer = await fetch(`http://127.0.0.1:${dnsManagement}/${what}`, {
      method: "POST",
      body: JSON.stringify(body),
    });
    if (!answer.ok) throw new Error(`the name server answered ${answer.status}`);
  }

  const asked: string[] = [];
  const door = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    tls: { cert, key },
    async fetch(request) {
      const { pathname } = new URL(request.url);
      asked.push(`${request.method} ${pathname}`);
      const instead = await pebble.intercept(request, pathname);
      if (instead !== undefined) return instead;
      const body = request.method === "POST" ? await request.arrayBuffer() : undefined;
      const answer = await fetch(`https://127.0.0.1:${acme}${pathname}`, {
        method: request.method,
        headers: request.headers,
        tls: { ca: cert },
        redirect: "manual",
        ...(body === undefined ? {} : { body }),
      });
      const text = await answer.text();
      const headers = new Headers(answer.headers);
      for (const name of ["content-length", "content-encoding", "transfer-encoding"]) headers.delete(name);
      return new Response(request.method === "HEAD" ? null : await pebble.rewrite(pathname, text), {
        status: answer.status,
        headers,
      });
    },
  });

  const pebble: Pebble = {
    directory: `https://127.0.0.1:${door.port}/dir`,
    caFile: own.certificate,
    challengePort,
    asked,
    intercept: () => undefined,
    rewrite: (_path, body) => body,
    async resolve(host, address) {
      await tellNames("clear-a", { host });
      if (address !== undefined) await tellNames("add-a", { host, addresses: [address] });
    },
    root: async () => (await fetch(`https://127.0.0.1:${management}/roots/0`, { tls: { ca: cert } })).text(),
    async restart() {
      authority.kill("SIGKILL");
      await authority.exited;
      authority = start();
      await listening();
    },
    async stop() {
      authority.kill("SIGKILL");
      await authority.exited;
    },
    async [Symbol.asyncDispose]() {
      await door.stop(true);
      names.kill("SIGKILL");
      authority.kill("SIGKILL");
      await Promise.all([names.exited, authority.exited]);
      await dir[Symbol.asyncDispose]();
    },
  };
  return pebble;
}

// --- internal ---

function port(): number {
  const listener = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  const { port: free } = listener;
  listener.stop(true);
  return free;
}
