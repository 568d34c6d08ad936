/**
 * What went wrong between us and a mail server, from the library's error to words of ours. Of what the server said only its
 * codes are used: its text may hold anything, the password included. Pure. Called by smtp-client.ts.
 */
import { systemCode } from "../../base/errors.ts";
import { connectionProblem } from "../connection-problems.ts";

export interface MailProblem {
  /** Completes "the channel …". */
  readonly problem: string;
  /** Trying the same again will not help. */
  readonly lasting: boolean;
  /** The server's answer, such as 550. */
  readonly status?: number;
}

export function mailProblem(error: unknown): MailProblem {
  const { responseCode, response, command, originalCode } = error as LibraryError;
  if (typeof responseCode === "number" && responseCode >= 400 && responseCode < 600)
    return answered(responseCode, textOf(response), textOf(command));
  const socket = textOf(originalCode);
  const known = connectionProblem(socket);
  if (known !== undefined) return { problem: `could not be reached: ${known.words}`, lasting: known.lasting };
  if (/^(?:ERR_SSL|ERR_TLS|EPROTO)/.test(socket)) return LIBRARY["ETLS"] as MailProblem;
  return LIBRARY[systemCode(error) ?? ""] ?? { problem: "could not be reached", lasting: false };
}

// --- internal ---

interface LibraryError {
  readonly responseCode?: unknown;
  readonly response?: unknown;
  readonly command?: unknown;
  readonly originalCode?: unknown;
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function answered(status: number, response: string, command: string): MailProblem {
  const lasting = status >= 500;
  const refused = REFUSALS.find(({ at }) => command.startsWith(at))?.words ?? "refused";
  const enhanced = /^\d{3}[ -]([245]\.\d{1,3}\.\d{1,3})\b/.exec(response)?.[1];
  const code = enhanced === undefined ? `${status}` : `${status} ${enhanced}`;
  return { problem: `${refused}${lasting ? "" : " for now"} (${code})`, lasting, status };
}

/** By the command that was answered. */
const REFUSALS: readonly { readonly at: string; readonly words: string }[] = [
  { at: "AUTH", words: "refused the user name or the password" },
  { at: "STARTTLS", words: "refused to encrypt the connection, so nothing was sent" },
  { at: "MAIL", words: "refused the sender" },
  { at: "RCPT", words: "refused all recipients" },
  { at: "DATA", words: "refused the message" },
  { at: "CONN", words: "refused the connection" },
  { at: "EHLO", words: "refused the connection" },
];

const LIBRARY: Readonly<Record<string, MailProblem>> = {
  ETIMEDOUT: { problem: "did not answer in time", lasting: false },
  ECONNECTION: { problem: "closed the connection", lasting: false },
  ESOCKET: { problem: "closed the connection", lasting: false },
  EPROTOCOL: { problem: "has a server that does not speak SMTP", lasting: true },
  ETLS: { problem: "could not be reached: no encrypted connection came about", lasting: true },
  EAUTH: { problem: "offers no way to log in that is known", lasting: true },
  EMESSAGE: { problem: "does not take a message of this size", lasting: true },
};
