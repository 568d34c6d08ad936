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
  /** Of all services, out of text that plugins see too: events. */
  all(text: string): string;
  /** The same for operators' eyes alone, where a text may have been cut in the middle of a value: logs, answers, records. */
  forOperators(text: string): string;
  /** What a service wrote, whole: other services' secrets, which it may contain by chance, are left. Good for plugins too. */
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
    const all = [...values.values()].flat();
    made = {
      revision: rows.revision(),
      all: makeRedact(all),
      forOperators: makeRedact(all, { isCut: true }),
      of: new Map(Array.from(values, ([service, mine]) => [service, makeRedact(mine)])),
    };
    return made;
  }

  return {
    all: (text) => current().all(text),
    forOperators: (text) => current().forOperators(text),
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
  readonly forOperators: Redact;
  readonly of: ReadonlyMap<string, Redact>;
}
