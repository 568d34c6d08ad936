/** A stream of the runtime, such as an encrypted connection, as a wire. Called by the encrypted listener. */
import type { Socket } from "node:net";
import { NOBODY, plainAddress, type Wire } from "./wire.ts";

export function streamWire(stream: Socket): Wire {
  const wire: { -readonly [K in keyof Wire]: Wire[K] } = {
    owner: NOBODY,
    closed: false,
    remote: plainAddress(stream.remoteAddress),
    write: (bytes: Uint8Array) => wire.closed || stream.writableEnded || stream.write(bytes),
    pause: () => void stream.pause(),
    resume: () => void stream.resume(),
    end: () => void stream.end(),
    destroy: () => void stream.destroy(),
  };
  stream.on("data", (bytes: Buffer) => wire.owner.data(bytes));
  stream.on("drain", () => wire.owner.drain());
  stream.on("end", () => wire.owner.end());
  stream.on("error", () => stream.destroy());
  stream.on("close", () => {
    if (wire.closed) return;
    wire.closed = true;
    wire.owner.close();
  });
  return wire;
}
