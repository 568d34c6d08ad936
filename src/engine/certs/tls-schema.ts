/** The keys of `[tls]`: where certificates come from. Read by daemon/config.ts. */
import * as v from "valibot";
import { absoluteFile } from "../notify/absolute-file.ts";
import { parseMailbox } from "../notify/mailbox.ts";

const LETS_ENCRYPT = "https://acme-v02.api.letsencrypt.org/directory";
const wantedMail = "a mail address such as ops@example.com";
const wantedUrl = "the https URL of an ACME directory";

const tlsKeys = v.strictObject({
  mode: v.optional(v.picklist(["acme", "self-signed", "files"], '"acme", "self-signed" or "files"'), "acme"),
  /** For a domain that has none yet, or gets none in this mode. */
  fallback: v.optional(v.picklist(["none", "self-signed"], '"none" or "self-signed"'), "none"),
  acme_email: v.optional(
    v.pipe(
      v.string(wantedMail),
      v.check((text) => parseMailbox(text)?.address === text, wantedMail),
    ),
  ),
  acme_directory: v.optional(
    v.pipe(
      v.string(wantedUrl),
      v.check((text) => isDirectory(text), wantedUrl),
      v.transform((text) => new URL(text).href),
    ),
    LETS_ENCRYPT,
  ),
  acme_ca_file: v.optional(absoluteFile()),
  /** External account binding: what an authority gives its customers. */
  acme_eab_kid: v.optional(v.pipe(v.string(), v.nonEmpty("the id of a key"))),
  acme_eab_key_file: v.optional(absoluteFile()),
  files: v.optional(v.record(v.string(), v.strictObject({ cert: absoluteFile(), key: absoluteFile() })), {}),
});

/**
 * @example
 * [tls]
 * mode = "acme"
 * acme_email = "ops@example.com"
 *
 * [tls.files.intranet]
 * cert = "/etc/ssl/intranet/fullchain.pem"
 * key = "/etc/ssl/intranet/privkey.pem"
 */
export const tlsSchema = v.pipe(
  tlsKeys,
  v.check(
    ({ acme_eab_kid: id, acme_eab_key_file: file }) => (id === undefined) === (file === undefined),
    "acme_eab_kid and acme_eab_key_file together",
  ),
);

export type TlsSettings = v.InferOutput<typeof tlsSchema>;

// --- internal ---

function isDirectory(text: string): boolean {
  const url = URL.parse(text);
  return (
    url !== null && url.protocol === "https:" && url.username === "" && url.password === "" && url.hash === ""
  );
}
