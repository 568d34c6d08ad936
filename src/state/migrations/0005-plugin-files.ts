/** Which plugin made what stands in `files/`. Rows stay when a plugin is removed, as its files do. */
export const sql = `
CREATE TABLE plugin_files (
  path TEXT PRIMARY KEY,
  plugin TEXT NOT NULL
) STRICT, WITHOUT ROWID;
`;
