/** The first schema. A released migration is never edited: what changes comes as a new file. */
export const sql = `
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;

CREATE TABLE plugins (
  name TEXT PRIMARY KEY,
  kind TEXT NOT NULL CHECK (kind IN ('js', 'wasm', 'exec')),
  version TEXT NOT NULL,
  digest TEXT NOT NULL,
  bundle_digest TEXT,
  manifest TEXT NOT NULL,
  builtins TEXT NOT NULL,
  isolation TEXT CHECK (isolation IN ('worker', 'process')),
  source TEXT NOT NULL,
  installed_at TEXT NOT NULL,
  enabled INTEGER NOT NULL,
  struck_out_at TEXT,
  link TEXT,
  paused TEXT
) STRICT;

CREATE TABLE plugin_versions (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('js', 'wasm', 'exec')),
  version TEXT NOT NULL,
  digest TEXT NOT NULL,
  bundle_digest TEXT,
  manifest TEXT NOT NULL,
  builtins TEXT NOT NULL,
  isolation TEXT CHECK (isolation IN ('worker', 'process')),
  source TEXT NOT NULL,
  installed_at TEXT NOT NULL,
  UNIQUE (name, digest)
) STRICT;

CREATE TABLE grants (
  plugin TEXT NOT NULL,
  digest TEXT NOT NULL,
  capability TEXT NOT NULL,
  scope TEXT,
  granted_by TEXT NOT NULL,
  granted_at TEXT NOT NULL,
  PRIMARY KEY (plugin, digest, capability)
) STRICT;

CREATE TABLE plugin_uids (
  plugin TEXT PRIMARY KEY,
  uid INTEGER NOT NULL UNIQUE CHECK (uid > 0)
) STRICT;

CREATE TABLE plugin_kv (
  plugin TEXT NOT NULL,
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (plugin, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE plugin_logs (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  plugin TEXT NOT NULL,
  at TEXT NOT NULL,
  level TEXT NOT NULL,
  text TEXT NOT NULL,
  fields TEXT
) STRICT;
CREATE INDEX plugin_logs_by_plugin ON plugin_logs (plugin, seq);

CREATE TABLE audit (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  at TEXT NOT NULL,
  plugin TEXT NOT NULL,
  method TEXT NOT NULL,
  capability TEXT,
  target TEXT,
  outcome TEXT NOT NULL
) STRICT;
CREATE INDEX audit_by_plugin ON audit (plugin, seq);

CREATE TABLE events (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  hook TEXT NOT NULL,
  at TEXT NOT NULL,
  data TEXT NOT NULL,
  fanned_out INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX events_to_fan_out ON events (seq) WHERE fanned_out = 0;
CREATE INDEX events_by_hook ON events (hook, seq);

CREATE TABLE deliveries (
  event_seq INTEGER NOT NULL REFERENCES events (seq) ON DELETE CASCADE,
  plugin TEXT NOT NULL,
  gate INTEGER NOT NULL DEFAULT 0,
  state TEXT NOT NULL CHECK (state IN ('pending', 'done', 'dead', 'refused')),
  attempts INTEGER NOT NULL DEFAULT 0,
  next_at INTEGER NOT NULL DEFAULT 0,
  error TEXT,
  updated_at TEXT NOT NULL,
  PRIMARY KEY (event_seq, plugin)
) STRICT, WITHOUT ROWID;
CREATE INDEX deliveries_pending ON deliveries (plugin, event_seq) WHERE state = 'pending' AND gate = 0;
CREATE INDEX deliveries_asked ON deliveries (event_seq) WHERE state = 'pending' AND gate = 1;

CREATE TABLE services (
  name TEXT PRIMARY KEY,
  provider TEXT NOT NULL,
  desired TEXT NOT NULL CHECK (desired IN ('running', 'stopped')),
  current_version INTEGER,
  next_version INTEGER NOT NULL DEFAULT 1,
  created_at TEXT NOT NULL
) STRICT;

CREATE TABLE service_env (
  service TEXT NOT NULL,
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (service, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE versions (
  service TEXT NOT NULL,
  version INTEGER NOT NULL,
  spec TEXT NOT NULL,
  image TEXT NOT NULL,
  instance TEXT NOT NULL,
  host_port INTEGER,
  created_at TEXT NOT NULL,
  PRIMARY KEY (service, version)
) STRICT;

CREATE TABLE deploys (
  id TEXT PRIMARY KEY,
  service TEXT NOT NULL,
  version INTEGER NOT NULL,
  spec TEXT NOT NULL,
  instance TEXT NOT NULL,
  host_port INTEGER,
  state TEXT NOT NULL CHECK (state IN ('running', 'succeeded', 'failed')),
  step TEXT NOT NULL,
  error TEXT,
  started_at TEXT NOT NULL,
  ended_at TEXT
) STRICT;
CREATE INDEX deploys_by_service ON deploys (service, version);
CREATE UNIQUE INDEX deploys_one_at_a_time ON deploys (service) WHERE state = 'running';

CREATE TABLE registries (
  host TEXT PRIMARY KEY,
  username TEXT NOT NULL,
  password BLOB NOT NULL,
  updated_at TEXT NOT NULL
) STRICT;
`;
