/**
 * The secrets that are to be taken out of text, as they are now: of one service for what it wrote, of all for what anybody else
 * wrote. Values that were replaced count until the daemon ends, because what runs may still know them. Never throws: what can't be
 * opened was never handed out either. Made by daemon/compose-secrets.ts.
 */
import { LIMITS } from "../../base/limits.ts";
import type { Redact } from "../../base/redact.ts";
import type { ServiceSecretRow, ServiceSecretRows } from "../../state/service-secrets.ts";
import { makeRedact } from "./redact.ts";

export interface Redaction {
  /** Text of the daemon's own, of plugins, of nobody in particular. */
  all(text: string): string;
  /** What a service wrote: other services' secrets, which it may contain by chance, are left. */
  of(service: string): Redact;
  /** A value that the service had, and may still print. */
  remember(service: string, value: string): void;
}

export function makeRedaction(
  rows: Pick<ServiceSecretRows, "list" | "revision">,
  open: (row: ServiceSecretRow) => string,
): Redaction {
  const former = new Map<string, readonly string[]>();
  let made: Made | undefined;

  function valueOf(row: ServiceSecretRow): readonly string[] {
    try {
      return [open(row)];
    } catch {
      return [];
    }
  }

  function current(): Made {
    if (made?.revision === rows.revision()) return made;
    const values = new Map<string, string[]>(Array.from(former, ([service, all]) => [service, [...all]]));
    for (const row of rows.list())
      values.set(row.service, [...(values.get(row.service) ?? []), ...valueOf(row)]);
    made = {
      revision: rows.revision(),
      all: makeRedact([...values.values()].flat()),
      of: new Map(Array.from(values, ([service, mine]) => [service, makeRedact(mine)])),
    };
    return made;
  }

  return {
    all: (text) => current().all(text),
    of: (service) => (text) => current().of.get(service)?.(text) ?? text,
    remember(service, value) {
      const known = (former.get(service) ?? []).filter((other) => other !== value);
      former.set(service, [...known, value].slice(-LIMITS.secretsRemembered));
      made = undefined;
    },
  };
}

// --- internal ---

interface Made {
  readonly revision: number;
  readonly all: Redact;
  readonly of: ReadonlyMap<string, Redact>;
}
