/** A provider that is a plugin, whose plugin is a function: what it was asked, and what it is to answer. */
import { silentLog } from "../../../../src/base/log.ts";
import type { OptionalAction, ProviderAction } from "../../../../src/base/provider-actions.ts";
import type {
  AskCall,
  Params,
  PluggedProvider,
} from "../../../../src/engine/providers/plugged/plugged-provider.ts";
import {
  makePluggedProviders,
  type PluggedProviders,
} from "../../../../src/engine/providers/plugged/plugged-providers.ts";
import type { InstanceSpec, Provider, WorkContext } from "../../../../src/engine/providers/provider.ts";
import { openDatabase } from "../../../../src/state/database.ts";
import {
  makeProviderInstanceRows,
  type ProviderInstanceRows,
} from "../../../../src/state/provider-instances.ts";
import { instanceSpec } from "../../../fixtures/instance-spec.ts";
import { fakeClock, type FakeClock } from "../../../harness.ts";

export type Answer = (params: Params, call: AskCall) => unknown;

export interface PluggedWorld {
  readonly clock: FakeClock;
  readonly rows: ProviderInstanceRows;
  readonly providers: PluggedProviders;
  /** Always there, whatever is installed. */
  readonly provider: Provider;
  readonly asked: {
    readonly action: ProviderAction;
    readonly params: Params;
    readonly moreMs: number | undefined;
  }[];
  /** What the plugin answers; without one of an action, nothing. */
  answers: Partial<Record<ProviderAction, Answer>>;
  actions: readonly OptionalAction[];
  installed: boolean;
  readonly ended: string[];
  /** With a row, as if it had been created. */
  made(spec?: Partial<InstanceSpec>): Promise<InstanceSpec>;
}

export const context: WorkContext = { signal: new AbortController().signal, progress() {} };

export function pluggedWorld(): PluggedWorld {
  const clock = fakeClock();
  const rows = makeProviderInstanceRows(openDatabase(":memory:"));
  const plugged: PluggedProvider = {
    name: "box",
    get actions() {
      return world.actions;
    },
    timeoutMs: (action) => (action === "create" ? 600_000 : 30_000),
    async ask(action, params, call) {
      world.asked.push({ action, params, moreMs: call.moreMs });
      call.began?.(4711);
      return world.answers[action]?.(params, call);
    },
  };
  const providers = makePluggedProviders({
    rows,
    installed: () => (world.installed ? [plugged] : []),
    identify: (pid) => `${pid} here`,
    endGroup: (identity) => void world.ended.push(identity),
    secretsOf: () => ({ TOKEN: "secret" }),
    clock,
    log: silentLog,
  });
  const world: PluggedWorld = {
    clock,
    rows,
    providers,
    get provider() {
      return providers.all()[0] as Provider;
    },
    asked: [],
    answers: {},
    actions: ["logs", "stats", "exec"],
    installed: true,
    ended: [],
    async made(changes = {}) {
      const spec = instanceSpec({ id: "vx-web-1-a", image: "app", ...changes });
      await this.provider.create(spec, context);
      world.asked.length = 0;
      return spec;
    },
  };
  return world;
}
