/**
 * Files through the broker, as a plugin has them, beside the same done by the runtime itself without a question asked: all the checks,
 * the walk, base64, the ledger and the audit are in the difference. In the same run and the same folder.
 */
import { open, rename } from "node:fs/promises";
import { join } from "node:path";
import { filePlugin } from "../file-plugin.ts";
import { interleaved, median, quantile, timed, type Row } from "./measure.ts";

const SIZES = { "4 KiB": 4 * 1024, "1 MiB": 1024 * 1024 } as const;

export async function benchFiles(): Promise<Row[]> {
  const rows: Row[] = [];
  for (const [title, size] of Object.entries(SIZES)) rows.push(...(await filesOf(title, size)));
  return rows;
}

// --- internal ---

async function filesOf(title: string, size: number): Promise<Row[]> {
  await using plugin = filePlugin();
  const rounds = size > 100_000 ? 100 : 500;
  const bytes = new Uint8Array(size).fill(120);
  const data = { $b64: bytes.toBase64() };
  const beside = join(plugin.dataDir, "files/beside");
  await plugin.call("write", { path: "files/x", data });
  await Bun.write(beside, bytes);
  const times = await interleaved(rounds, {
    [`fs.read of ${title}`]: () => timed(() => plugin.call("read", { path: "files/x" })),
    [`Bun.file(…).bytes() of ${title}`]: () => timed(() => Bun.file(beside).bytes()),
    [`fs.write of ${title}, on the disk when it returns`]: () =>
      timed(() => plugin.call("write", { path: "files/x", data })),
    [`the same by hand: write, fsync, rename, fsync of the folder, ${title}`]: () =>
      timed(() => writeSafely(beside, bytes)),
    [`Bun.write of ${title}, without fsync`]: () => timed(() => Bun.write(beside, bytes)),
    [`fs.append of ${title}`]: async () => {
      const took = await timed(() => plugin.call("append", { path: "files/log", data }));
      await plugin.call("remove", { path: "files/log" });
      return took;
    },
  });
  return Object.entries(times).flatMap(([what, ms]) => [
    { what: `${what}, p50`, value: median(ms) * 1000, unit: "µs", runs: rounds },
    { what: `${what}, p99`, value: quantile(ms, 0.99) * 1000, unit: "µs", runs: rounds },
  ]);
}

async function writeSafely(path: string, bytes: Uint8Array): Promise<void> {
  const file = await open(`${path}.part`, "w");
  await file.write(bytes);
  await file.sync();
  await file.close();
  await rename(`${path}.part`, path);
  const folder = await open(join(path, ".."), "r");
  await folder.sync();
  await folder.close();
}
