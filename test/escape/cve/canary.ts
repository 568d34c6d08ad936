/**
 * Things that must not be touched, and whether they were: a file (read, written), a folder (something new in it) and a socket (somebody
 * called). Reading shows in the time of the last access, which Linux keeps where it is older than the last change.
 */
import { mkdirSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";

export interface Canary {
  readonly file: string;
  readonly socket: string;
  readonly folder: string;
  readonly secret: string;
  /** What happened to them; empty: nothing. */
  touched(): readonly string[];
  [Symbol.asyncDispose](): Promise<void>;
}

export async function setCanary(below: string): Promise<Canary> {
  const folder = join(below, "canary");
  const file = join(folder, "secret");
  const socket = join(folder, "docker.sock");
  const secret = `canary-${crypto.randomUUID()}`;
  mkdirSync(folder);
  writeFileSync(file, secret);
  let calls = 0;
  const server = createServer((connection) => {
    calls++;
    connection.destroy();
  });
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  utimesSync(file, LONG_AGO, new Date());
  const there = readdirSync(folder).toSorted().join();

  return {
    file,
    socket,
    folder,
    secret,
    touched() {
      const { atime } = statSync(file);
      const isRead = atime.getTime() !== LONG_AGO.getTime();
      const text = readFileSync(file, "utf8");
      utimesSync(file, LONG_AGO, new Date());
      return [
        ...(isRead ? ["the file was read"] : []),
        ...(text === secret ? [] : ["the file was written"]),
        ...(readdirSync(folder).toSorted().join() === there ? [] : ["the folder was changed"]),
        ...(calls === 0 ? [] : ["the socket was called"]),
      ];
    },
    async [Symbol.asyncDispose]() {
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

// --- internal ---

const LONG_AGO = new Date("2001-01-01T00:00:00.000Z");
