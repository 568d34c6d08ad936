/** A provider whose instances live in a map, and whose every method can be told to fail, to hang or to say something else. */
import { fail } from "../../../src/base/errors.ts";
import type { InstanceSpec, InstanceStatus, Provider } from "../../../src/engine/providers/provider.ts";

export type Method = "check" | "prepare" | "create" | "start" | "stop" | "destroy" | "status" | "list";

/** Outlives a provider object, as containers outlive the daemon. */
export type Cluster = Map<string, { readonly spec: InstanceSpec; status: InstanceStatus }>;

export interface FakeProvider extends Provider {
  readonly cluster: Cluster;
  /** What was asked, in order: "create vx-web-1-…" */
  readonly calls: string[];
  /** Makes a method fail with this error, or hang for ever; undefined: behave again. */
  script: Partial<Record<Method, Error | "hang" | undefined>>;
  /** Asked after a start: what the instance became. */
  becomes: (spec: InstanceSpec) => InstanceStatus;
  /** Told whenever a method begins. */
  onCall: (method: Method, id: string) => void;
  lines: string[];
}

export function fakeProvider(name = "fake", cluster: Cluster = new Map(), server = "local"): FakeProvider {
  async function play(method: Method, id: string): Promise<void> {
    provider.calls.push(`${method} ${id}`);
    provider.onCall(method, id);
    const act = provider.script[method];
    if (act === "hang") await new Promise<never>(() => {});
    if (act instanceof Error) throw act;
  }
  function need(id: string): { readonly spec: InstanceSpec; status: InstanceStatus } {
    const found = cluster.get(id);
    if (found === undefined) throw fail("instance.not_found", `no instance ${id}`);
    return found;
  }
  const provider: FakeProvider = {
    name,
    server,
    cluster,
    calls: [],
    script: {},
    becomes: () => ({ state: "running", restarts: 0 }),
    onCall() {},
    lines: ["first", "last"],
    check() {
      if (provider.script.check instanceof Error) throw provider.script.check;
    },
    async prepare(spec, context) {
      context.progress("layer 1 of 1", 100);
      await play("prepare", spec.id);
      if (spec.image === undefined) return "folder";
      return spec.image.includes("@") ? spec.image : `${spec.image}@sha256:abc`;
    },
    async create(spec) {
      cluster.set(spec.id, { spec, status: { state: "created" } });
      await play("create", spec.id);
    },
    async start(id) {
      await play("start", id);
      need(id).status = provider.becomes(need(id).spec);
    },
    async stop(id) {
      await play("stop", id);
      const found = cluster.get(id);
      if (found !== undefined) found.status = { state: "exited", exitCode: 0 };
    },
    async destroy(id) {
      await play("destroy", id);
      cluster.delete(id);
    },
    async status(id) {
      await play("status", id);
      return cluster.get(id)?.status ?? { state: "missing" };
    },
    async list(owner) {
      await play("list", owner);
      return [...cluster.values()].filter(({ spec }) => spec.owner === owner).map(({ spec }) => spec.id);
    },
    async *logs(_id, { from }) {
      if (from !== undefined) return;
      const part = { stream: "stdout", atMs: Date.UTC(2026, 0, 1), text: provider.lines.join("\n") } as const;
      yield { parts: [part], position: "end" };
    },
    async exec(id, { command, output }) {
      need(id);
      await output("stdout", Buffer.from(command.join(" ")));
      return 7;
    },
  };
  return provider;
}
