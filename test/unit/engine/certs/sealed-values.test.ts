import { describe, expect, test } from "bun:test";
import { makeRig } from "../../../integration/engine/certs/cert-rig.ts";
import { sealedKeys } from "../../../../src/engine/certs/sealed-values.ts";
import type { CertificateRow } from "../../../../src/state/certificates.ts";
import { tempDir, until } from "../../../harness.ts";

describe("the keys of certificates", () => {
  test("are among what a new key for secrets seals", async () => {
    await using dir = tempDir();
    await using rig = makeRig({ dir: dir.path, domains: ["app.localhost"], tls: { mode: "self-signed" } });
    rig.certificates.start();
    await until(() => rig.certificates.find("app.localhost"));
    const row = rig.rows.find("app.localhost")!;
    rig.rows.put({ ...row, orderUrl: "https://ca/order", orderKey: new Uint8Array([1]) });
    rig.rows.putAccount({ directory: "https://ca/", url: null, email: null, key: new Uint8Array([2]) });
    const values = sealedKeys(rig.rows);
    expect(values.map(({ purpose }) => purpose)).toEqual([
      "acme-account:https://ca/",
      "certificate:app.localhost",
      "certificate-order:app.localhost",
    ]);
    for (const [index, value] of values.entries()) value.replace(new Uint8Array([10 + index]));
    expect(rig.rows.account("https://ca/")?.key).toEqual(new Uint8Array([10]));
    const after = rig.rows.find("app.localhost")!;
    expect(after).toEqual({ ...after, key: new Uint8Array([11]), orderKey: new Uint8Array([12]) });
    expect<CertificateRow>({ ...after, key: row.key, orderKey: null, orderUrl: null }).toEqual(row);
  });
});
