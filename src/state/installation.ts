/** Who this installation is: an id made once, by which the instances that it made are told from everybody else's. */
import type { Database } from "./database.ts";

export function installationId(db: Database, newId: () => string): string {
  db.query("INSERT OR IGNORE INTO meta (key, value) VALUES ('installation', ?)").run(newId());
  const row = db.query<{ value: string }, []>("SELECT value FROM meta WHERE key = 'installation'").get();
  if (row === null) throw new Error("the installation's id was not stored");
  return row.value;
}
