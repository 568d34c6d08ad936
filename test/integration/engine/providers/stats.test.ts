/** What instances use, measured of real containers and real processes. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { systemClock } from "../../../../src/base/clock.ts";
import { silentLog } from "../../../../src/base/log.ts";
import { makeDockerProvider } from "../../../../src/engine/providers/docker/provider.ts";
import { makeProcessProvider } from "../../../../src/engine/providers/process/provider.ts";
import type { InstanceStats, Provider, WorkContext } from "../../../../src/engine/providers/provider.ts";
import { statFields } from "../../../../src/platform/stat-fields.ts";
import { ensureTestImage, TEST_IMAGE } from "../../../fixtures/docker-image.ts";
import { instanceSpec } from "../../../fixtures/instance-spec.ts";
import { needs, tempDir, until } from "../../../harness.ts";

const context: WorkContext = { signal: new AbortController().signal, progress: () => {} };
const owner = `test-${crypto.randomUUID()}`;
const MIB = 2 ** 20;

const statsOf = (provider: Provider, id: string): Promise<InstanceStats> =>
  until(() => provider.stats?.(id), { what: "stats" });

describe.skipIf(!needs("docker"))("the docker provider measures", () => {
  const docker = makeDockerProvider({
    endpoint: { socketPath: "/var/run/docker.sock" },
    clock: systemClock,
  });

  beforeAll(async () => void (await ensureTestImage()));
  afterEach(async () => {
    for (const id of await docker.list(owner)) await docker.destroy(id);
  });
  afterAll(() => docker.close());

  async function run(command: string, changes: object = {}): Promise<string> {
    const spec = instanceSpec({ owner, image: TEST_IMAGE, command: ["sh", "-c", command], ...changes });
    await docker.create(spec, context);
    await docker.start(spec.id);
    return spec.id;
  }

  test("a container that works: its processor time grows, its memory is what it took, its limit what it was given", async () => {
    const id = await run("x=$(head -c 30000000 /dev/zero | tr '\\0' x); while :; do :; done", {
      memoryBytes: 256 * MIB,
    });
    const first = await until(
      async () => {
        const stats = await docker.stats?.(id);
        return stats !== undefined && stats.memoryBytes > 28 * MIB ? stats : undefined;
      },
      { timeoutMs: 20_000, what: "the memory" },
    );
    const later = await until(
      async () => {
        const stats = await statsOf(docker, id);
        return stats.cpuSeconds > first.cpuSeconds + 0.1 ? stats : undefined;
      },
      { timeoutMs: 20_000, what: "processor time" },
    );
    expect(first.memoryLimitBytes).toBe(256 * MIB);
    expect(first.memoryBytes).toBeLessThan(256 * MIB);
    expect(later.run).toBe(first.run);
    expect(later.restarts).toBe(0);
    expect(later.networkRxBytes).toBeNumber();
  }, 60_000);

  test("one that was started again has another run, and counters that begin anew", async () => {
    // It works at its first start only.
    const id = await run(
      "[ -e /done ] || { touch /done; i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done; }; exec sleep 1000",
    );
    const before = await until(
      async () => {
        const stats = await docker.stats?.(id);
        return stats !== undefined && stats.cpuSeconds > 0.2 ? stats : undefined;
      },
      { timeoutMs: 20_000 },
    );
    await docker.stop(id, 0);
    expect(await docker.stats?.(id)).toBeUndefined();
    await docker.start(id);
    const after = await statsOf(docker, id);
    expect(after.run).not.toBe(before.run);
    expect(after.cpuSeconds).toBeLessThan(before.cpuSeconds);
    expect(after).not.toHaveProperty("memoryLimitBytes");
  }, 60_000);

  test("nothing of a container that is not there", async () => {
    expect(await docker.stats?.("vx-nothing-1-00000000")).toBeUndefined();
  });
});

describe.skipIf(!needs("linux"))("the process provider measures", () => {
  const dir = tempDir();
  const folder = `${dir.path}/upload`;
  const provider = makeProcessProvider({
    root: `${dir.path}/instances`,
    clock: systemClock,
    log: silentLog,
  });

  beforeAll(() => mkdirSync(folder));
  afterEach(async () => {
    for (const id of await provider.list(owner)) await provider.destroy(id);
  });
  afterAll(async () => {
    provider.close();
    await dir[Symbol.asyncDispose]();
  });

  async function run(id: string, command: string[] | undefined): Promise<string> {
    await provider.create(instanceSpec({ id, owner, directory: folder, command }), context);
    await provider.start(id);
    return id;
  }

  const pidOf = (name: string) =>
    until(() => {
      try {
        return Number(readFileSync(`${folder}/${name}`, "utf8"));
      } catch {
        return 0;
      }
    });

  test("processor time of the whole tree, also of what left its session, and of what ended", async () => {
    const burn = "i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done";
    writeFileSync(
      `${folder}/tree.sh`,
      `(${burn})\nsetsid sh -c 'echo $$ > ${folder}/far; while :; do :; done' &\nwait\n`,
    );
    const id = await run("vx-tree-1-00000000", ["sh", "tree.sh"]);
    const far = await pidOf("far");
    const begun = await statsOf(provider, id);
    // What the first loop took was its own process, which has ended.
    expect(begun.cpuSeconds).toBeGreaterThan(0.05);
    const ticks = () => {
      const fields = statFields(readFileSync(`/proc/${far}/stat`, "latin1"));
      return (Number(fields[11]) + Number(fields[12])) / 100;
    };
    const own = ticks();
    await until(() => ticks() - own > 0.5, { timeoutMs: 20_000 });
    const grown = ticks() - own;
    const now = await until(async () => {
      const stats = await statsOf(provider, id);
      return stats.cpuSeconds - begun.cpuSeconds >= grown * 0.9 ? stats : undefined;
    });
    expect(now.run).toBe(begun.run);
  }, 60_000);

  test("memory that grows, and blocks that are written", async () => {
    writeFileSync(
      `${folder}/index.ts`,
      `import { writeFileSync, openSync, fsyncSync, writeSync } from "node:fs";
       const kept = new Uint8Array(64 * 2 ** 20).fill(1);
       const file = openSync("out", "w");
       writeSync(file, kept.subarray(0, 2 ** 22));
       fsyncSync(file);
       writeFileSync("${folder}/grown", String(process.pid));
       setInterval(() => kept.length, 1000);`,
    );
    const id = await run("vx-grow-1-00000000", undefined);
    const before = await provider.stats?.(id);
    await pidOf("grown");
    const after = await until(
      async () => {
        const stats = await statsOf(provider, id);
        return stats.memoryBytes > 64 * MIB ? stats : undefined;
      },
      { timeoutMs: 20_000 },
    );
    expect(after.memoryBytes).toBeLessThan(400 * MIB);
    expect(after.memoryBytes).toBeGreaterThan(before?.memoryBytes ?? 0);
    expect(after.blockWriteBytes).toBeNumber();
    expect(after).not.toHaveProperty("networkRxBytes");
  }, 60_000);

  test("nothing of an instance that ended, or never was", async () => {
    const id = await run("vx-brief-1-00000000", ["true"]);
    await until(async () => (await provider.status(id)).state !== "running");
    expect(await provider.stats?.(id)).toBeUndefined();
    expect(await provider.stats?.("vx-nothing-1-00000000")).toBeUndefined();
  });

  test("many instances with one look at the machine's processes", async () => {
    const ids = await Promise.all(
      Array.from({ length: 5 }, (_, index) => run(`vx-many-${index}-00000000`, ["sleep", "1000"])),
    );
    const all = await until(async () => {
      const stats = await Promise.all(ids.map((id) => statsOf(provider, id)));
      // One that is just replacing its program has no memory yet.
      return stats.every(({ memoryBytes }) => memoryBytes > 0) ? stats : undefined;
    });
    expect(new Set(all.map((stats) => stats.run)).size).toBe(5);
  });
});
