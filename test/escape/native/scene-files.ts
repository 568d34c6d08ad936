/** The files that attackers want to read and to change, and everything about them that a change would show in. */
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Places } from "./attack.ts";
import type { Kernel } from "./kernel.ts";
import { tolerate, type View } from "./scene-view.ts";

export interface SceneFiles {
  readonly paths: Pick<
    Places,
    | "folder"
    | "secretFile"
    | "secretLink"
    | "canaryFile"
    | "newFile"
    | "emptyFolder"
    | "streamSocket"
    | "datagramSocket"
  >;
  look(): View;
  /** All as it was at first, but for the sockets, which stay. */
  layOut(): void;
}

export function makeSceneFiles(kernel: Kernel, secret: string): SceneFiles {
  const folder = mkdtempSync(join(tmpdir(), "voxeltron-escape-"));
  chmodSync(folder, 0o777);
  const paths = {
    folder,
    secretFile: join(folder, "secret"),
    secretLink: join(folder, "secret-link"),
    canaryFile: join(folder, "canary"),
    newFile: join(folder, "new"),
    emptyFolder: join(folder, "empty"),
    streamSocket: join(folder, "stream.sock"),
    datagramSocket: join(folder, "datagram.sock"),
  };
  return {
    paths,
    look: () => Object.fromEntries(readdirSync(folder).map((name) => describe(kernel, folder, name))),
    layOut() {
      for (const name of readdirSync(folder)) {
        if (!name.endsWith(".sock")) rmSync(join(folder, name), { recursive: true, force: true });
      }
      writeFileSync(paths.secretFile, secret);
      writeFileSync(paths.canaryFile, "canary");
      symlinkSync(secret, paths.secretLink);
      mkdirSync(paths.emptyFolder);
      // Whoever attacks may be another user: what stops it must not be the owner of a file.
      for (const path of [paths.secretFile, paths.canaryFile]) chmodSync(path, 0o666);
      chmodSync(paths.emptyFolder, 0o777);
      tolerate(() => kernel.call("setxattr", paths.canaryFile, ATTRIBUTE, secret, secret.length, 0));
    },
  };
}

// --- internal ---

const ATTRIBUTE = "user.secret";

function describe(kernel: Kernel, folder: string, name: string): [string, string] {
  const path = join(folder, name);
  const { mode, uid, gid, size, mtimeMs, nlink } = lstatSync(path);
  const known = [mode.toString(8), uid, gid, size, mtimeMs, nlink];
  return [`file ${name}`, [...known, content(path, mode), attribute(kernel, path)].join(" ")];
}

function content(path: string, mode: number): string {
  const [type, file, link] = [mode & 0o170000, 0o100000, 0o120000];
  if (type === file) return readFileSync(path, "latin1");
  return type === link ? readlinkSync(path) : "";
}

function attribute(kernel: Kernel, path: string): string {
  const value = new Uint8Array(128);
  let length = 0;
  tolerate(() => {
    length = kernel.call("lgetxattr", path, ATTRIBUTE, value, value.length);
  });
  return Buffer.from(value.subarray(0, length)).toString("latin1");
}
