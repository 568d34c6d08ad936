/** Alerts as they are, what people have yet to be told of them, and what they asked not to be told. */
export const sql = `
CREATE TABLE alerts (
  name TEXT NOT NULL,
  subject TEXT NOT NULL,
  service TEXT,
  state TEXT NOT NULL CHECK (state IN ('firing', 'resolved')),
  metric TEXT NOT NULL,
  value REAL NOT NULL,
  threshold REAL NOT NULL,
  message TEXT NOT NULL,
  since TEXT NOT NULL,
  changed_at TEXT NOT NULL,
  announced INTEGER NOT NULL,
  PRIMARY KEY (name, subject)
) STRICT, WITHOUT ROWID;

CREATE TABLE alert_silences (
  name TEXT NOT NULL,
  subject TEXT NOT NULL,
  until INTEGER NOT NULL,
  PRIMARY KEY (name, subject)
) STRICT, WITHOUT ROWID;

CREATE TABLE alert_notices (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  channel TEXT NOT NULL,
  title TEXT NOT NULL,
  text TEXT NOT NULL,
  severity TEXT NOT NULL,
  attempts INTEGER NOT NULL,
  next_at INTEGER NOT NULL
) STRICT;
CREATE INDEX alert_notices_by_channel ON alert_notices (channel, id);
`;
