/**
 * The `provider_instances` table: what providers that are executables were asked to create, from before the first word of it to after its
 * destruction. They have no list of their own, so what is not here was never theirs. Called by engine/providers/plugged.
 */
import type { Database } from "./database.ts";

export interface ProviderInstanceRows {
  find(provider: string, name: string): ProviderInstanceRow | undefined;
  /** In the order of their names. */
  list(provider: string): readonly ProviderInstanceRow[];
  /** Those that have any. */
  providers(): readonly string[];
  /** One that is made again starts afresh. */
  put(row: Pick<ProviderInstanceRow, "provider" | "name" | "service" | "workspace" | "createdAt">): void;
  /** The process that creates it; null once that has ended. */
  setCreator(provider: string, name: string, creator: string | null): void;
  /** It was started, and is reached there: addresses by the ports' names. */
  started(provider: string, name: string, addresses: Readonly<Record<string, string>>): void;
  remove(provider: string, name: string): void;
}

export interface ProviderInstanceRow {
  readonly provider: string;
  /** As the provider knows it. */
  readonly name: string;
  readonly service: string | null;
  readonly workspace: string | null;
  readonly addresses: Readonly<Record<string, string>>;
  /** How often it was started. */
  readonly starts: number;
  readonly creator: string | null;
  readonly createdAt: string;
}

export function makeProviderInstanceRows(db: Database): ProviderInstanceRows {
  const columns = "provider, name, service, workspace, addresses, starts, creator, created_at AS createdAt";
  const find = db.query<Stored, [string, string]>(
    `SELECT ${columns} FROM provider_instances WHERE provider = ? AND name = ?`,
  );
  const list = db.query<Stored, [string]>(
    `SELECT ${columns} FROM provider_instances WHERE provider = ? ORDER BY name`,
  );
  return {
    find(provider, name) {
      const row = find.get(provider, name);
      return row === null ? undefined : rowOf(row);
    },
    list: (provider) => list.all(provider).map(rowOf),
    providers: () =>
      db
        .query<{ provider: string }, []>("SELECT DISTINCT provider FROM provider_instances ORDER BY provider")
        .all()
        .map(({ provider }) => provider),
    put({ provider, name, service, workspace, createdAt }) {
      db.query(
        "INSERT OR REPLACE INTO provider_instances (provider, name, service, workspace, created_at) VALUES (?, ?, ?, ?, ?)",
      ).run(provider, name, service, workspace, createdAt);
    },
    setCreator(provider, name, creator) {
      db.query("UPDATE provider_instances SET creator = ? WHERE provider = ? AND name = ?").run(
        creator,
        provider,
        name,
      );
    },
    started(provider, name, addresses) {
      db.query(
        "UPDATE provider_instances SET addresses = ?, starts = starts + 1 WHERE provider = ? AND name = ?",
      ).run(JSON.stringify(addresses), provider, name);
    },
    remove(provider, name) {
      db.query("DELETE FROM provider_instances WHERE provider = ? AND name = ?").run(provider, name);
    },
  };
}

// --- internal ---

type Stored = Omit<ProviderInstanceRow, "addresses"> & { readonly addresses: string };

function rowOf({ addresses, ...row }: Stored): ProviderInstanceRow {
  return { ...row, addresses: JSON.parse(addresses) as ProviderInstanceRow["addresses"] };
}
