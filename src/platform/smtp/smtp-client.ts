/**
 * The one SMTP client: it alone holds the power to connect to a mail server. Encryption that was asked for is there or nothing
 * is sent, certificates are always checked, and a password leaves this machine encrypted or not at all. What the server says
 * is never passed on: only its codes are, in words of ours. The library is loaded with the first mail. Used by engine/notify.
 */
import { isIP } from "node:net";
import type Connection from "nodemailer/lib/smtp-connection";
import type { Clock } from "../../base/clock.ts";
import { fail, isVoxError, systemCode } from "../../base/errors.ts";
import { LIMITS } from "../../base/limits.ts";
import { abortable, withDeadline } from "../deadline.ts";
import { refusalOf } from "../http/address-policy.ts";
import type { Resolver } from "../http/resolve.ts";
import type { Mail } from "./mail-message.ts";
import { mailProblem } from "./mail-problem.ts";

/**
 * One attempt at one message. Throws `network.failed` (details: problem, lasting, status?), `network.timeout` and what the signal
 * says. A recipient that alone was refused is no failure.
 */
export type SmtpClient = (server: MailServer, mail: Mail, bounds: MailBounds) => Promise<MailAnswer>;

export interface MailServer {
  /** A name or an address. */
  readonly host: string;
  readonly port: number;
  /** `starttls`: encrypted from then on, or not at all. `tls`: from the first byte. `none`: never. */
  readonly tls: "starttls" | "tls" | "none";
  readonly login?: { readonly username: string; readonly password: string } | undefined;
  /** Certificates (PEM) to trust instead of the system's. */
  readonly ca?: string | undefined;
}

export interface MailBounds {
  /** For everything together. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

export interface MailAnswer {
  /** Addresses that the server answers for. */
  readonly accepted: readonly string[];
  readonly refused: readonly { readonly address: string; readonly lasting: boolean }[];
}

export interface SmtpPowers {
  readonly resolve: Resolver;
  readonly clock: Clock;
}

export function makeSmtpClient(powers: SmtpPowers): SmtpClient {
  return (server, mail, bounds) =>
    withDeadline(powers.clock, bounds, (signal) => deliver(powers, server, mail, signal));
}

// --- internal ---

async function deliver(
  powers: SmtpPowers,
  server: MailServer,
  mail: Mail,
  signal: AbortSignal,
): Promise<MailAnswer> {
  const [{ default: LibraryConnection }, { buildMessage }, addresses] = await Promise.all([
    import("nodemailer/lib/smtp-connection"),
    import("./mail-message.ts"),
    addressesOf(powers, server, signal),
  ]);
  const message = await buildMessage(mail);
  let failure: unknown;
  for (const address of addresses.slice(0, LIMITS.connectAttempts)) {
    signal.throwIfAborted();
    const connection = new LibraryConnection(optionsFor(server, address));
    try {
      const answer = await converse(connection, server, mail, message, signal);
      leave(connection, powers.clock);
      return answer;
    } catch (error) {
      connection.close();
      if (signal.aborted) throw error;
      failure = error;
      if (!UNCONNECTED.has(socketCode(error))) break;
    }
  }
  // What has no code is no word of the library's, but a bug.
  if (isVoxError(failure) || systemCode(failure) === undefined) throw failure;
  throw failed(server, mailProblem(failure));
}

/** Of a password that would go unencrypted, only this very machine may be the other end, whatever the name says. */
async function addressesOf(
  { resolve }: SmtpPowers,
  server: MailServer,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const found = await abortable(resolve(server.host), signal).catch((error: unknown) => {
    throw signal.aborted
      ? error
      : failed(server, { problem: "has a server whose name can't be resolved", lasting: false });
  });
  const isOpen = server.tls === "none" && server.login !== undefined;
  const usable = isOpen ? found.filter((address) => refusalOf(address) === "a loopback address") : found;
  if (usable.length === 0)
    throw failed(server, {
      problem: "would send its password unencrypted to another machine",
      lasting: true,
    });
  return usable.toSorted((a, b) => Number(a.includes(":")) - Number(b.includes(":")));
}

function optionsFor(server: MailServer, address: string): Connection.Options {
  const name = server.host.replace(/\.$/, "");
  return {
    host: address,
    port: server.port,
    secure: server.tls === "tls",
    requireTLS: server.tls === "starttls",
    ignoreTLS: server.tls === "none",
    tls: {
      rejectUnauthorized: true,
      ...(isIP(name) === 0 ? { servername: name } : {}),
      ...(server.ca === undefined ? {} : { ca: server.ca }),
    },
    connectionTimeout: LIMITS.mailConnectMs,
    greetingTimeout: LIMITS.mailConnectMs,
    socketTimeout: LIMITS.mailMs,
    socketCloseTimeout: 0,
    maxResponseSize: LIMITS.mailAnswerBytes,
    logger: false,
  };
}

async function converse(
  connection: Connection,
  server: MailServer,
  mail: Mail,
  message: Buffer,
  signal: AbortSignal,
): Promise<MailAnswer> {
  const { promise: broken, reject: breakOff } = Promise.withResolvers<never>();
  broken.catch(() => {});
  // It stays: what breaks after the end of the conversation has nobody to tell.
  connection.on("error", breakOff);
  const step = <T>(begin: (done: Done<T>) => void): Promise<T> =>
    abortable(Promise.race([broken, stepOf(begin)]), signal);
  await step((done) => connection.connect(done));
  if (server.tls !== "none" && !connection.secure)
    throw failed(server, { problem: "did not encrypt the connection", lasting: true });
  const { login } = server;
  if (login !== undefined) {
    if (!connection.allowsAuth) throw failed(server, { problem: "offers no way to log in", lasting: true });
    const credentials = { user: login.username, pass: login.password };
    await step((done) => connection.login({ user: login.username, credentials }, done));
  }
  const to = mail.to.map(({ address }) => address);
  const envelope = { from: mail.from.address, to, size: message.byteLength };
  return answerOf(await step<Sent>((done) => connection.send(envelope, message, done)));
}

type Done<T> = (error?: Error | null, value?: T) => void;

interface Sent {
  readonly accepted: readonly string[];
  readonly rejectedErrors?:
    | readonly { readonly recipient?: string | undefined; readonly responseCode?: number | undefined }[]
    | undefined;
}

function answerOf({ accepted, rejectedErrors = [] }: Sent): MailAnswer {
  return {
    accepted,
    refused: rejectedErrors.map(({ recipient = "", responseCode = 0 }) => ({
      address: recipient,
      lasting: responseCode >= 500,
    })),
  };
}

/** Says goodbye and does not wait long for the answer: the message is the server's by now. */
function leave(connection: Connection, clock: Clock): void {
  connection.quit();
  clock.after(LIMITS.mailGoodbyeMs, () => connection.close());
}

function stepOf<T>(begin: (done: Done<T>) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    begin((error, value) => {
      if (error) reject(error);
      else resolve(value as T);
    });
  });
}

function failed(
  server: MailServer,
  details: { readonly problem: string; readonly lasting: boolean; readonly status?: number },
): Error {
  return fail("network.failed", `${server.host}:${server.port} ${details.problem}`, { details });
}

function socketCode(error: unknown): string {
  const { originalCode } = error as { readonly originalCode?: unknown };
  return typeof originalCode === "string" ? originalCode : (systemCode(error) ?? "");
}

const UNCONNECTED = new Set(["ECONNREFUSED", "EHOSTUNREACH", "ENETUNREACH", "EADDRNOTAVAIL", "EINVAL"]);
