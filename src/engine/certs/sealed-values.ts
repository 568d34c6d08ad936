/** The keys of certificates, orders and accounts as sealed values, so that a new key for secrets seals them too. Called by daemon/compose-secrets.ts. */
import type { CertificateRow, CertificateRows } from "../../state/certificates.ts";
import type { SealedValue } from "../secrets/rotate-key.ts";
import { accountPurpose } from "./acme/authority.ts";
import { certificatePurpose, orderPurpose } from "./stored.ts";

export function sealedKeys(rows: CertificateRows): readonly SealedValue[] {
  const replaced = (domain: string, change: Partial<CertificateRow>): void => {
    const row = rows.find(domain);
    if (row !== undefined) rows.put({ ...row, ...change });
  };
  return [
    ...rows.accounts().map((account) => ({
      purpose: accountPurpose(account.directory),
      sealed: account.key,
      replace: (key: Uint8Array) => rows.putAccount({ ...account, key }),
    })),
    ...rows
      .list()
      .flatMap(({ domain, key, orderKey }) => [
        ...sealedValue(key, certificatePurpose(domain), (sealed) => replaced(domain, { key: sealed })),
        ...sealedValue(orderKey, orderPurpose(domain), (sealed) => replaced(domain, { orderKey: sealed })),
      ]),
  ];
}

// --- internal ---

function sealedValue(
  sealed: Uint8Array | null,
  purpose: string,
  replace: (sealed: Uint8Array) => void,
): readonly SealedValue[] {
  return sealed === null ? [] : [{ purpose, sealed, replace }];
}
