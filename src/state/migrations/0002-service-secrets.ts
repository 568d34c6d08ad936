/** Secrets of services. They are sealed before they come here, and may be there before their service is. */
export const sql = `
CREATE TABLE service_secrets (
  service TEXT NOT NULL,
  name TEXT NOT NULL,
  value BLOB NOT NULL,
  updated_at TEXT NOT NULL,
  PRIMARY KEY (service, name)
) STRICT, WITHOUT ROWID;
`;
