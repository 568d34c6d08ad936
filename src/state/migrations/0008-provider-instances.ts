/** What providers that are executables were asked to create: they can't be asked for a list. */
export const sql = `
CREATE TABLE provider_instances (
  provider TEXT NOT NULL,
  name TEXT NOT NULL,
  service TEXT,
  workspace TEXT,
  addresses TEXT NOT NULL DEFAULT '{}',
  starts INTEGER NOT NULL DEFAULT 0,
  creator TEXT,
  created_at TEXT NOT NULL,
  PRIMARY KEY (provider, name)
) STRICT, WITHOUT ROWID;
`;
