/**
 * What was measured: as it was, by the minute, and by the hour. The service '' is the host. What is measured at one time lies together,
 * in blocks of time: a look at a thousand services then changes few pages, and what is old goes in one piece.
 */
export const sql = `
CREATE TABLE metric_series (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  service TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE metrics_raw (
  block INTEGER NOT NULL,
  series INTEGER NOT NULL,
  at INTEGER NOT NULL,
  cpu_percent REAL,
  memory_bytes REAL,
  memory_limit_bytes REAL,
  network_rx_rate REAL,
  network_tx_rate REAL,
  block_read_rate REAL,
  block_write_rate REAL,
  restarts REAL,
  load1 REAL,
  disk_bytes REAL,
  disk_limit_bytes REAL,
  PRIMARY KEY (block, series, at)
) STRICT, WITHOUT ROWID;

CREATE TABLE metrics_minute (
  block INTEGER NOT NULL,
  series INTEGER NOT NULL,
  at INTEGER NOT NULL,
  samples INTEGER NOT NULL,
  cpu_percent REAL,
  memory_bytes REAL,
  memory_limit_bytes REAL,
  network_rx_rate REAL,
  network_tx_rate REAL,
  block_read_rate REAL,
  block_write_rate REAL,
  restarts REAL,
  load1 REAL,
  disk_bytes REAL,
  disk_limit_bytes REAL,
  cpu_percent_max REAL,
  memory_bytes_max REAL,
  network_rx_rate_max REAL,
  network_tx_rate_max REAL,
  block_read_rate_max REAL,
  block_write_rate_max REAL,
  load1_max REAL,
  disk_bytes_max REAL,
  PRIMARY KEY (block, series, at)
) STRICT, WITHOUT ROWID;

CREATE TABLE metrics_hour (
  block INTEGER NOT NULL,
  series INTEGER NOT NULL,
  at INTEGER NOT NULL,
  samples INTEGER NOT NULL,
  cpu_percent REAL,
  memory_bytes REAL,
  memory_limit_bytes REAL,
  network_rx_rate REAL,
  network_tx_rate REAL,
  block_read_rate REAL,
  block_write_rate REAL,
  restarts REAL,
  load1 REAL,
  disk_bytes REAL,
  disk_limit_bytes REAL,
  cpu_percent_max REAL,
  memory_bytes_max REAL,
  network_rx_rate_max REAL,
  network_tx_rate_max REAL,
  block_read_rate_max REAL,
  block_write_rate_max REAL,
  load1_max REAL,
  disk_bytes_max REAL,
  PRIMARY KEY (block, series, at)
) STRICT, WITHOUT ROWID;

CREATE INDEX deliveries_dead ON deliveries (plugin) WHERE state = 'dead';
`;
