/** The stand-in daemon's end of an attacker's one socket: a question, an answer, and a word that means nothing. */
import { frameOf, HEAD_BYTES } from "./frame.ts";

export interface Link {
  /** The answer, undefined where the attacker ended before it gave one. */
  readonly ask: (question: string) => Promise<string | undefined>;
  /** Sends a frame with nothing in it. */
  readonly wake: () => void;
}

export async function linkTo(descriptor: number): Promise<Link> {
  let received = Buffer.alloc(0);
  let closed = false;
  let deliver: ((answer: string | undefined) => void) | undefined;

  function look(): void {
    const length = received.length < HEAD_BYTES ? undefined : received.readUInt32LE(0);
    if (length !== undefined && received.length >= HEAD_BYTES + length) {
      const text = received.subarray(HEAD_BYTES, HEAD_BYTES + length).toString();
      received = received.subarray(HEAD_BYTES + length);
      // An attack may have sent one with nothing in it.
      if (text === "") look();
      else deliver?.(text);
    } else if (closed) deliver?.(undefined);
  }

  const end = () => {
    closed = true;
    look();
  };
  const handler: Bun.SocketHandler<undefined> = {
    data(_socket, bytes) {
      received = Buffer.concat([received, bytes]);
      look();
    },
    close: end,
    end,
    error: end,
  };
  // Bun's types don't know of descriptors.
  const options = { fd: descriptor, socket: handler } as unknown as Bun.UnixSocketOptions;
  const socket = await Bun.connect(options);

  return {
    ask(question) {
      const answer = new Promise<string | undefined>((resolve) => (deliver = resolve));
      if (closed) look();
      else socket.write(frameOf(question));
      return answer;
    },
    wake() {
      if (!closed) socket.write(frameOf(""));
    },
  };
}
