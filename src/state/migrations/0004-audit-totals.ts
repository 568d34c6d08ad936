/** Counts of what plugins asked for, beyond the rows that are kept, and the days on which the daemon could have seen it. */
export const sql = `
ALTER TABLE audit ADD COLUMN during TEXT;
ALTER TABLE audit ADD COLUMN times INTEGER NOT NULL DEFAULT 1;

CREATE TABLE audit_totals (
  plugin TEXT NOT NULL,
  capability TEXT NOT NULL,
  method TEXT NOT NULL,
  class TEXT NOT NULL CHECK (class IN ('allowed', 'denied', 'failed')),
  calls INTEGER NOT NULL,
  first_at TEXT NOT NULL,
  last_at TEXT NOT NULL,
  PRIMARY KEY (plugin, capability, method, class)
) STRICT, WITHOUT ROWID;

INSERT INTO audit_totals
SELECT plugin, coalesce(capability, ''), method,
  CASE
    WHEN outcome = 'ok' THEN 'allowed'
    WHEN outcome IN ('capability.denied', 'capability.out_of_scope', 'refused') THEN 'denied'
    ELSE 'failed'
  END AS class, count(*), min(at), max(at)
FROM audit GROUP BY plugin, coalesce(capability, ''), method, class;

CREATE TABLE watched_days (day TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
`;
