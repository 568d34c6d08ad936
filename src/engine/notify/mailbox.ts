/** Reads `ops@example.com` and `The operator <ops@example.com>`. Pure. Called by email-schema.ts. */
import type { Mailbox } from "../../platform/smtp/mail-message.ts";

/** Undefined for anything else; narrower than what the mail standard allows. */
export function parseMailbox(text: string): Mailbox | undefined {
  const named = /^([^<>"\p{C}]{0,100}?) *<([^<>]+)>$/u.exec(text);
  const address = named?.[2] ?? text;
  if (!ADDRESS.test(address) || address.length > 254) return undefined;
  const name = named?.[1]?.trim() ?? "";
  return name === "" ? { address } : { name, address };
}

// --- internal ---

const LABEL = "[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?";
const ATOM = "[\\w!#$%&'*+/=?^`{|}~-]+";
const ADDRESS = new RegExp(`^(?=.{1,64}@)${ATOM}(?:\\.${ATOM})*@${LABEL}(?:\\.${LABEL})*$`);
