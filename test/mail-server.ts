/** A real SMTP server for tests of mails: it keeps what came as it came, and goes away with the test. */
import type { AddressInfo } from "node:net";
import { SMTPServer, type SMTPServerOptions } from "smtp-server";

export interface MailServerForTests extends AsyncDisposable {
  readonly port: number;
  /** Whole messages, as they stood on the wire. */
  readonly messages: string[];
  /** Envelopes of messages that were taken. */
  readonly envelopes: { readonly from: string; readonly to: readonly string[] }[];
  /** Who logged in, and whether that was encrypted. */
  readonly logins: { readonly username: string; readonly password: string; readonly secure: boolean }[];
  readonly connections: () => number;
}

/** `answers`: the n-th message is refused with the n-th error, undefined takes it. */
export async function mailServer(
  options: SMTPServerOptions = {},
  answers: readonly (Error | undefined)[] = [],
): Promise<MailServerForTests> {
  const messages: string[] = [];
  const envelopes: MailServerForTests["envelopes"] = [];
  const logins: MailServerForTests["logins"] = [];
  let connections = 0;
  let count = 0;
  const server = new SMTPServer({
    logger: false,
    disableReverseLookup: true,
    onConnect(_session, done) {
      connections++;
      done();
    },
    onAuth(given, session, done) {
      const username = given.username ?? "";
      const password = given.password ?? "";
      logins.push({ username, password, secure: session.secure });
      if (password === "right") done(null, { user: username });
      else done(answer(535, `5.7.8 no such password: ${password}`));
    },
    onData(stream, session, done) {
      const chunks: Buffer[] = [];
      stream.on("data", (chunk: Buffer) => chunks.push(chunk));
      stream.on("end", () => {
        const refusal = answers[count++];
        if (refusal !== undefined) return done(refusal);
        messages.push(Buffer.concat(chunks).toString("utf8"));
        const { mailFrom, rcptTo } = session.envelope;
        const from = mailFrom === false ? "" : mailFrom.address;
        envelopes.push({ from, to: rcptTo.map(({ address }) => address) });
        done();
      });
    },
    ...options,
  });
  server.on("error", () => {});
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.server.address() as AddressInfo).port,
    messages,
    envelopes,
    logins,
    connections: () => connections,
    async [Symbol.asyncDispose]() {
      server.close();
    },
  };
}

/** What a server answers with: 451 and the like. */
export function answer(responseCode: number, text: string): Error {
  return Object.assign(new Error(text), { responseCode });
}
