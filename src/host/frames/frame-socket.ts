/**
 * Frames over one end of a socket pair, on the event loop: what the kernel does not take at once waits here, in order, and is
 * counted. The daemon's end of each of its processes; also the child's end where it has an event loop.
 */
import { systemCode } from "../../base/errors.ts";
import { frameHead, textFrame } from "./frame.ts";
import { makeFrameReader } from "./frame-reader.ts";

export interface FrameSocket {
  sendText(text: string): void;
  /** Sends the bytes as they are, which must not change until they are sent. */
  sendBytes(bytes: Uint8Array): void;
  /** Bytes that wait here because the other end does not read. */
  readonly unread: () => number;
  /** Closes the descriptor. What waits is thrown away; idempotent. */
  close(): void;
}

export interface FrameSocketEvents {
  /** `bytes` must not be kept. */
  readonly frame: (bytes: Uint8Array) => void;
  /** The other end announced a frame that is too long; nothing is read any more. */
  readonly tooLong: () => void;
  /** The other end closed, or this one did. Called once. */
  readonly closed: () => void;
}

export function openFrameSocket(descriptor: number, on: FrameSocketEvents): FrameSocket {
  const queue = makeSendQueue();
  let socket: Bun.Socket | undefined;
  let isClosed = false;

  function closed(): void {
    if (isClosed) return;
    isClosed = true;
    queue.clear();
    on.closed();
  }

  const intake = makeIntake({
    frame(bytes) {
      if (!isClosed) on.frame(bytes);
    },
    broken() {
      if (!isClosed) on.tooLong();
    },
    isBusy(isBusy) {
      if (isBusy) socket?.pause();
      else socket?.resume();
    },
  });

  /** The answer comes later, also where the descriptor is at fault. */
  async function connect(): Promise<void> {
    const options: Bun.FdSocketOptions = {
      fd: descriptor,
      socket: {
        // Before the promise is kept; what is sent from here on goes at once.
        open(opened) {
          socket = opened;
          queue.flush(opened);
        },
        data: (_, piece) => intake.add(piece),
        drain: (opened) => queue.flush(opened),
        close: () => intake.whenDone(closed),
        end: () => intake.whenDone(closed),
        error(_, error) {
          closed();
          if (systemCode(error) === undefined) throw error; // thrown by what was called from here
        },
      },
    };
    try {
      // The types list a descriptor for a server's socket alone.
      const opened = await Bun.connect(options as unknown as Bun.UnixSocketOptions);
      if (isClosed) opened.terminate();
    } catch (error) {
      if (systemCode(error) === undefined) throw error;
      closed();
    }
  }
  void connect();

  function send(...pieces: readonly Uint8Array[]): void {
    if (isClosed) return;
    for (const piece of pieces) queue.add(piece);
    if (socket !== undefined) queue.flush(socket);
  }

  return {
    sendText: (text) => send(textFrame(text)),
    sendBytes: (bytes) => send(frameHead(bytes.length), bytes),
    unread: queue.bytes,
    close() {
      closed();
      socket?.terminate();
    },
  };
}

// --- internal ---

/** Frames that are handled before everything else has its turn: a flood of them must not stop the loop. */
const FRAMES_A_TURN = 16;

interface Intake {
  add(piece: Uint8Array): void;
  /** Runs `task` when all that was added has been handled. */
  whenDone(task: () => void): void;
}

interface IntakeEvents {
  readonly frame: (bytes: Uint8Array) => void;
  readonly broken: () => void;
  /** True: nothing more should be added for now. */
  readonly isBusy: (isBusy: boolean) => void;
}

function makeIntake(on: IntakeEvents): Intake {
  const reader = makeFrameReader(on.frame);
  let waiting: Uint8Array[] = [];
  let isBusy = false;
  let whenDone = (): void => {};

  function turn(): void {
    const piece = waiting[0] ?? NOTHING;
    const taken = reader.read(piece, FRAMES_A_TURN);
    if (reader.broken()) {
      waiting = [];
      on.broken();
    } else if (taken < piece.length) waiting[0] = piece.subarray(taken);
    else waiting.shift();
    const wasBusy = isBusy;
    isBusy = waiting.length > 0;
    if (isBusy !== wasBusy) on.isBusy(isBusy);
    if (isBusy) later(turn);
    else whenDone();
  }

  return {
    add(piece) {
      if (reader.broken()) return;
      waiting.push(piece);
      if (!isBusy) turn();
    },
    whenDone(task) {
      if (isBusy) whenDone = task;
      else task();
    },
  };
}

const NOTHING = new Uint8Array(0);
/** As it was before a plugin ran. */
const later: (task: () => void) => unknown = setImmediate;

interface SendQueue {
  add(piece: Uint8Array): void;
  /** Gives the socket as much as it takes. */
  flush(socket: Bun.Socket): void;
  readonly bytes: () => number;
  clear(): void;
}

function makeSendQueue(): SendQueue {
  let waiting: Uint8Array[] = [];
  /** Pieces, and bytes of the next one, that are gone already. */
  let sent = 0;
  let offset = 0;
  let bytes = 0;

  function clear(): void {
    waiting = [];
    sent = 0;
    offset = 0;
    bytes = 0;
  }

  return {
    add(piece) {
      waiting.push(piece);
      bytes += piece.length;
    },
    flush(socket) {
      for (let piece = waiting[sent]; piece !== undefined; piece = waiting[sent]) {
        const taken = Math.max(0, socket.write(piece, offset, piece.length - offset));
        offset += taken;
        bytes -= taken;
        if (offset < piece.length) return;
        offset = 0;
        sent++;
        // Half of the list at least: what is gone is not kept, and no piece is moved twice on average.
        if (sent * 2 >= waiting.length) {
          waiting = waiting.slice(sent);
          sent = 0;
        }
      }
    },
    bytes: () => bytes,
    clear,
  };
}
