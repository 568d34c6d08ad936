/** What the API says of certificates; no key is ever a part of it. A part of the contract; called by operations.ts alone. */
import * as v from "valibot";

export const certificateView = v.object({
  domain: v.string(),
  service: v.string(),
  /** acme · self-signed · file; null where nobody issues it */
  source: v.nullable(v.string()),
  /** valid · missing · expired · stand-in · ordering · renewing */
  state: v.string(),
  issuer: v.nullable(v.string()),
  notBefore: v.nullable(v.string()),
  notAfter: v.nullable(v.string()),
  nextTry: v.nullable(v.string()),
  lastTry: v.nullable(v.string()),
  /** In a row. */
  failures: v.number(),
  /** dns · validation · unavailable · rate-limited · order-expired · refused · misconfigured · internal */
  problem: v.nullable(v.string()),
  /** As the authority said it. */
  error: v.nullable(v.string()),
});
