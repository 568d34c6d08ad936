/**
 * The secrets family: `secrets.get(service, name)` and `secrets.list(service)`. A plugin reads the variables of services, secret or
 * plain, as far as its scope goes; the audit log names which, never what. Called by catalogue.ts; the values are the engine's,
 * passed in.
 */
import * as v from "valibot";
import { outOfScope } from "./denial.ts";
import { method, type Method } from "./method.ts";
import { inScope } from "./scopes.ts";

/** What the family needs of the engine. */
export interface SecretReader {
  /** Throws `secret.not_found`, `secret.unreadable`, `secret.key_*`. */
  get(service: string, name: string): string;
  /** In order. Throws `service.not_found` for a service that is neither there nor has secrets. */
  names(service: string): readonly string[];
}

/** `secrets.get {service, name}` → text · `secrets.list {service}` → names, those in scope alone. */
export function secretMethods(reader: SecretReader): readonly Method[] {
  return [
    method({
      name: "secrets.get",
      args: ["service", "name"],
      anyOf: ["secrets_read"],
      params: v.strictObject({ service, name }),
      target: entry,
      scope: entry,
      check(caller, params) {
        if (inScope(caller, "secrets_read", entry(params))) return;
        const open = caller.grants.get("secrets_read")?.join(", ") || "none";
        const what = `the secret ${entry(params)} is none of those that it may read (${open})`;
        throw outOfScope(caller, "secrets_read", what, entry(params));
      },
      run: async (_caller, params) => reader.get(params.service, params.name),
    }),
    method({
      name: "secrets.list",
      args: ["service"],
      anyOf: ["secrets_read"],
      params: v.strictObject({ service }),
      target: (params) => params.service,
      scope: (params) => `${params.service}/*`,
      run: async (caller, params) =>
        reader
          .names(params.service)
          .filter((each) => inScope(caller, "secrets_read", entry({ ...params, name: each }))),
    }),
  ];
}

// --- internal ---

/** Neither can hold a slash or a star: an entry of a scope that names the one target is made of them. */
const service = v.pipe(v.string(), v.regex(/^[a-z0-9][a-z0-9-]{0,62}$/, "the name of a service"));
const name = v.pipe(v.string(), v.regex(/^[A-Za-z_]\w{0,254}$/, "the name of a variable"));

function entry(params: { readonly service: string; readonly name: string }): string {
  return `${params.service}/${params.name}`;
}
