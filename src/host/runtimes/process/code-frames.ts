/**
 * A plugin's code on its way into its process: announced by a message, then as bytes in frames of its own, because it is larger than
 * a message may be. Both ends of it. Called by process-link.ts, and in the child by plugin-role.ts.
 */
import { LIMITS } from "../../../base/limits.ts";
import type { FrameSocket } from "../../frames/frame-socket.ts";
import type { LoadedCode } from "../runtime.ts";
import { notice } from "../wire/messages.ts";

export interface CodeNotice {
  readonly method: "code";
  readonly params: { readonly bytes: number; readonly sourceMapBytes: number };
}

export function sendCode(socket: Pick<FrameSocket, "sendText" | "sendBytes">, code: LoadedCode): void {
  const encoder = new TextEncoder();
  const bytes = code.kind === "js" ? encoder.encode(code.text) : code.bytes;
  const sourceMap = encoder.encode(code.kind === "js" ? code.sourceMap : "");
  const params: CodeNotice["params"] = { bytes: bytes.length, sourceMapBytes: sourceMap.length };
  socket.sendText(notice("code", params));
  for (const part of [bytes, sourceMap]) {
    for (let at = 0; at < part.length; at += LIMITS.codeFrameBytes) {
      socket.sendBytes(part.subarray(at, at + LIMITS.codeFrameBytes));
    }
  }
}

export interface ReceivedCode {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly sourceMap: Uint8Array<ArrayBuffer>;
}

/** Reads it again, from the daemon: so what it says is true. */
export function receiveCode(readFrame: () => Uint8Array): ReceivedCode {
  const { params } = JSON.parse(new TextDecoder().decode(readFrame())) as CodeNotice;
  const received = { bytes: new Uint8Array(params.bytes), sourceMap: new Uint8Array(params.sourceMapBytes) };
  for (const part of [received.bytes, received.sourceMap]) {
    for (let at = 0; at < part.length;) {
      const piece = readFrame();
      part.set(piece, at);
      at += piece.length;
    }
  }
  return received;
}
