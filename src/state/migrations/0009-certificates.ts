/**
 * Certificates that the daemon gets for domains, and who it is at an authority. Private keys are sealed before they come here.
 */
export const sql = `
CREATE TABLE certificates (
  domain TEXT PRIMARY KEY,
  source TEXT NOT NULL,
  certificate TEXT,
  key BLOB,
  issued_by TEXT,
  issuer TEXT,
  not_before TEXT,
  not_after TEXT,
  next_at TEXT NOT NULL,
  tried_at TEXT,
  held_until TEXT,
  failures INTEGER NOT NULL DEFAULT 0,
  problem TEXT,
  error TEXT,
  order_url TEXT,
  order_key BLOB
) STRICT;

CREATE TABLE acme_accounts (
  directory TEXT PRIMARY KEY,
  url TEXT,
  email TEXT,
  key BLOB NOT NULL
) STRICT;
`;
