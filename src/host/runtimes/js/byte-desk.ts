/**
 * Bytes on their way between the daemon and a JavaScript guest. In the daemon's messages they are `{"$b64": base64}`; a guest would
 * spend its memory and seconds on such a string, so they go to it as buffers, and in the JSON stands a ticket: `{"$b64": ticket}`.
 * Tickets can't be guessed, so nothing that a plugin writes is one. Called by guest-desk.ts.
 */
import { LIMITS } from "../../../base/limits.ts";
import { parseJson, randomId, stringifyJson } from "./natives.ts";

export interface ByteDesk {
  /**
   * From the guest: keeps the bytes for the next message and gives their ticket. Throws where it would hold too many, and then
   * holds none: that message can't be sent.
   */
  put(bytes: Uint8Array): string;
  /** The guest's message with base64 in place of its tickets. */
  readonly embed: (text: string) => string;
  /** The message that was to have them is not sent. */
  drop(): void;
  /** The daemon's value with tickets in place of its base64. Tickets of the value before it are worth nothing any more. */
  extract(value: unknown): unknown;
  /** To the guest: the bytes of a ticket, once. */
  take(ticket: string): ArrayBuffer | undefined;
}

export function makeByteDesk(): ByteDesk {
  const token = randomId();
  const outgoing = new Map<string, Uint8Array>();
  const incoming = new Map<string, ArrayBuffer>();
  let held = 0;
  let last = 0;

  function drop(): void {
    outgoing.clear();
    held = 0;
  }

  return {
    put(bytes) {
      held += bytes.length;
      // The tickets are counted too: even those of no bytes, of messages that are never sent, would fill the daemon's memory.
      if (held > LIMITS.messageBytes || outgoing.size >= LIMITS.messageValues) {
        drop();
        throw new RangeError("more bytes than one message may have");
      }
      const ticket = `${token}:${++last}`;
      outgoing.set(ticket, bytes);
      return ticket;
    },
    embed(text) {
      if (outgoing.size === 0) return text;
      const message = replaceBytes(parseJson(text), (ticket) => outgoing.get(ticket)?.toBase64());
      drop();
      return stringifyJson(message);
    },
    drop,
    extract(value) {
      incoming.clear();
      return replaceBytes(value, (base64) => {
        const bytes = decode(base64);
        if (bytes === undefined) return undefined;
        const ticket = `${token}:${++last}`;
        incoming.set(ticket, bytes);
        return ticket;
      });
    },
    take(ticket) {
      const bytes = incoming.get(ticket);
      incoming.delete(ticket);
      return bytes;
    },
  };
}

// --- internal ---

/** A copy in which `replace` was asked for the text of each `{"$b64": text}`; undefined leaves it as it is. */
function replaceBytes(value: unknown, replace: (text: string) => string | undefined): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map((part) => replaceBytes(part, replace));
  const record = value as Readonly<Record<string, unknown>>;
  const text = record["$b64"];
  if (typeof text === "string") return { ...record, $b64: replace(text) ?? text };
  return Object.fromEntries(Object.entries(record).map(([key, part]) => [key, replaceBytes(part, replace)]));
}

function decode(base64: string): ArrayBuffer | undefined {
  try {
    return Uint8Array.fromBase64(base64).buffer;
  } catch {
    return undefined;
  }
}
