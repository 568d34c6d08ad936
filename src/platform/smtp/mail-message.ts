/**
 * Writes one plain-text mail as it goes over the wire. Whatever stands in the subject is shown as it was given: it can neither
 * begin another header nor be read as one of MIME's encoded words. Called by smtp-client.ts, which loads it with the first mail.
 */
import { encodeWord } from "nodemailer/lib/mime-funcs";
import MimeNode from "nodemailer/lib/mime-node";

export interface Mailbox {
  readonly name?: string | undefined;
  readonly address: string;
}

export interface Mail {
  readonly from: Mailbox;
  readonly to: readonly Mailbox[];
  readonly subject: string;
  readonly text: string;
  /** Without brackets; the same at each attempt, so that a repetition can be told. */
  readonly id: string;
  readonly atMs: number;
  /** Further headers, such as `X-Voxeltron-Channel`. */
  readonly headers: readonly (readonly [name: string, value: string])[];
}

export async function buildMessage(mail: Mail): Promise<Buffer> {
  const node = new MimeNode("text/plain; charset=utf-8", { newline: "\r\n" });
  node.setHeader([
    { key: "From", value: asGiven(mail.from) },
    { key: "To", value: mail.to.map(asGiven) },
    { key: "Subject", value: literal(mail.subject) },
    { key: "Date", value: new Date(mail.atMs).toUTCString().replace("GMT", "+0000") },
    { key: "Message-ID", value: `<${mail.id}>` },
    // RFC 3834: no vacation notice and no bounce by a robot comes back for it.
    { key: "Auto-Submitted", value: "auto-generated" },
    ...mail.headers.map(([key, value]) => ({ key, value: literal(value) })),
  ]);
  node.setContent(mail.text);
  return Buffer.from(await node.build());
}

// --- internal ---

function asGiven({ name, address }: Mailbox): { name: string; address: string } {
  return { name: name ?? "", address };
}

/** The library leaves alone what looks like an encoded word already: then the reader's program would decode it. */
function literal(value: string): string {
  const line = value.replaceAll(/[\p{Cc}\u2028\u2029]+/gu, " ");
  return line.includes("=?") ? encodeWord(line, "B", ENCODED_CHARS) : line;
}

const ENCODED_CHARS = 52;
