/**
 * The network of the SSRF attacks: a namespace in which every address is this machine's own, so that whatever is not refused arrives;
 * a name server on the port that the system asks; and servers that count who came. Only for a process that `unshare` started.
 */
import { createServer, connect, type AddressInfo, type Server, type Socket } from "node:net";
import { writeFileSync } from "node:fs";
import { createServer as createNameServer, Packet } from "dns2";
import { until } from "../../harness.ts";
import { answerWith } from "../../local-server.ts";
import { NAMES, PUBLIC } from "./targets.ts";

/** `folder` is for a file that stands in for /etc/resolv.conf, in this mount namespace alone. */
export async function makeNetwork(folder: string): Promise<void> {
  run("ip", "link", "set", "lo", "up");
  run("ip", "route", "add", "local", "0.0.0.0/0", "dev", "lo");
  run("ip", "-6", "route", "add", "local", "::/0", "dev", "lo");
  const resolvConf = `${folder}/resolv.conf`;
  writeFileSync(resolvConf, "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n");
  run("mount", "--bind", resolvConf, "/etc/resolv.conf");
  await serveNames();
}

/** How many questions for addresses of this name have come. */
export function questions(name: string): number {
  return asked.get(name) ?? 0;
}

export interface Canary {
  readonly port: number;
  /** Connections since it was last asked, each of which was surely counted. */
  arrivals(): Promise<number>;
}

/** Answers HTTP with `body`. With no host: at every address of the machine. */
export async function canary(body: string, host = "::", port = 0): Promise<Canary> {
  return serve((socket) => answerWith(socket, body), host, port);
}

/** A public server that leads every request elsewhere: the path is `/STATUS/LOCATION`, encoded. */
export async function guide(port = 0): Promise<Canary> {
  return serve(
    (socket, head) => {
      const [, status = "", location = ""] = /^\w+ \/(\d+)\/(\S+)/.exec(head) ?? [];
      answerWith(socket, "", {
        status: `${status} There`,
        headers: [`Location: ${decodeURIComponent(location)}`],
      });
    },
    PUBLIC,
    port,
  );
}

// --- internal ---

const asked = new Map<string, number>();

async function serve(
  answer: (socket: Socket, head: string) => void,
  host: string,
  port: number,
): Promise<Canary> {
  let opened = 0;
  let seen = 0;
  const server: Server = createServer((socket) => {
    opened++;
    socket.on("error", () => {});
    socket.once("data", (head: Buffer) => answer(socket, head.toString("latin1")));
  });
  await new Promise<void>((resolve) => server.listen(port, host, resolve));
  const address = server.address() as AddressInfo;
  return {
    port: address.port,
    async arrivals() {
      // Connections are accepted in their order: behind our own, there is no other that was made before it.
      const before = opened;
      const own = connect(address.port, host === "::" ? "127.0.0.1" : host);
      await new Promise((resolve) => own.once("connect", resolve));
      await until(() => opened > before);
      await Bun.sleep(1);
      own.destroy();
      const count = opened - seen - 1;
      seen = opened;
      return count;
    },
  };
}

async function serveNames(): Promise<void> {
  const server = createNameServer({
    udp: true,
    handle(request, send) {
      const response = Packet.createResponseFromRequest(request);
      const [question] = request.questions;
      if (question === undefined) return;
      const { name, type } = question;
      if (type === Packet.TYPE.A) asked.set(name, questions(name) + 1);
      if (name.startsWith("silent")) return;
      const row = name.startsWith("rebind") ? rebinding(name) : NAMES.find((each) => each.name === name);
      const owner = row?.cname ?? name;
      const record = (kind: number, data: object): void => {
        response.answers.push(Object.assign(new Packet.Resource(owner, kind, Packet.CLASS.IN, 0), data));
      };
      if (row === undefined) response.header.rcode = 3;
      if (row?.cname !== undefined)
        response.answers.push(
          Object.assign(new Packet.Resource(name, Packet.TYPE.CNAME, Packet.CLASS.IN, 0), {
            domain: row.cname,
          }),
        );
      if (type === Packet.TYPE.A) for (const address of row?.a ?? []) record(type, { address });
      if (type === Packet.TYPE.AAAA) for (const address of row?.aaaa ?? []) record(type, { address });
      void send(response);
    },
  });
  await server.listen({ udp: { port: 53, address: "127.0.0.1" } });
}

/** A public address at the first question, the loopback from then on. */
function rebinding(name: string): {
  readonly a: readonly string[];
  readonly aaaa?: never;
  readonly cname?: never;
} {
  return { a: [questions(name) <= 1 ? PUBLIC : "127.0.0.1"] };
}

function run(...command: string[]): void {
  const { exitCode, stderr } = Bun.spawnSync(command, { stdout: "ignore", stderr: "pipe" });
  if (exitCode !== 0) throw new Error(`${command.join(" ")}: ${stderr.toString()}`);
}
