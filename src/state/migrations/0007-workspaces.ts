/** Workspaces. `phase`: what is being done to one; `next`: what is to be done after it; `made`: its provider made it once. */
export const sql = `
CREATE TABLE workspaces (
  name TEXT PRIMARY KEY,
  provider TEXT NOT NULL,
  server TEXT NOT NULL,
  spec TEXT NOT NULL,
  image TEXT,
  instance TEXT NOT NULL,
  desired TEXT NOT NULL CHECK (desired IN ('running', 'stopped')),
  phase TEXT CHECK (phase IN ('create', 'start', 'stop', 'destroy')),
  next TEXT CHECK (next IN ('start')),
  made INTEGER NOT NULL,
  error TEXT,
  created_at TEXT NOT NULL
) STRICT;
CREATE INDEX workspaces_by_instance ON workspaces (instance);
`;
