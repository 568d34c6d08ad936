/**
 * What attackers want and must not get, and everything that shows that something happened. Made in the stand-in daemon's process, or
 * in a test's.
 */
import { chmodSync, openSync } from "node:fs";
import type { Places } from "./attack.ts";
import { FAMILY, inetAddress } from "./addresses.ts";
import type { Kernel } from "./kernel.ts";
import { makeSceneFiles } from "./scene-files.ts";
import { openSockets } from "./scene-sockets.ts";
import {
  isTaken,
  itself,
  listeners,
  mounts,
  processes,
  removeSharedObjects,
  sharedObjects,
  type View,
} from "./scene-view.ts";

export interface Scene {
  readonly places: Places;
  /** Signals that came, counted by who listens to them. */
  signals: number;
  /** `attackers`: the processes that the daemon itself started. */
  look(attackers: ReadonlySet<number>): View;
  /** As if nothing had happened to files and to objects in the kernel. */
  reset(): void;
}

export function makeScene(kernel: Kernel, secret: string): Scene {
  const marker = `canary-${crypto.randomUUID()}`;
  const abstractName = `${marker}-listener`;
  const memory = Buffer.from(secret.padEnd(64));
  const files = makeSceneFiles(kernel, secret);
  const { paths } = files;
  files.layOut();
  const sockets = openSockets(kernel, {
    stream: paths.streamSocket,
    datagram: paths.datagramSocket,
    abstractName,
  });
  for (const path of [paths.streamSocket, paths.datagramSocket]) chmodSync(path, 0o777);
  const { tcpPort, tcp6Port, udpPort } = sockets;
  const [freePort, ipcKey] = [freePortFor(kernel), 0x40000000 + (process.pid % 0x1000000)];

  const scene: Scene = {
    signals: 0,
    places: {
      ...paths,
      daemonPid: process.pid,
      memoryAddress: String(kernel.address(memory)),
      memoryBytes: memory.length,
      secretDescriptor: openSync(paths.secretFile, "r"),
      abstractName,
      tcpPort,
      tcp6Port,
      udpPort,
      freePort,
      ipcKey,
      marker,
      program: process.execPath,
    },
    look: (attackers) => ({
      ...files.look(),
      ...sockets.visits(),
      ...itself(),
      ...mounts(paths.folder),
      memory: memory.toString("latin1").trim(),
      signals: String(scene.signals),
      ...processes(attackers),
      ...listeners(kernel, { marker, freePort }),
      ...sharedObjects(ipcKey),
    }),
    reset() {
      files.layOut();
      removeSharedObjects(kernel, ipcKey);
    },
  };
  return scene;
}

// --- internal ---

/** Below those that the kernel gives away by itself. */
function freePortFor(kernel: Kernel): number {
  let port = 20_000 + (process.pid % 10_000);
  while (isTaken(kernel, FAMILY.inet, inetAddress(port, true))) port++;
  return port;
}
