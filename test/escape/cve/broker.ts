/** The real broker for one plugin with these grants, over methods that note that they ran; only a plugin's own store does what it should. */
import { systemClock } from "../../../src/base/clock.ts";
import { silentLog } from "../../../src/base/log.ts";
import { makeBroker } from "../../../src/host/capabilities/broker.ts";
import type { Caller, Method } from "../../../src/host/capabilities/method.ts";
import { DEFAULT_QUOTA } from "../../../src/host/capabilities/quota.ts";
import type { Capability } from "../../../src/sdk/index.ts";

export function brokerWith(
  methods: readonly Method[],
  granted: readonly Capability[],
  requested: readonly Capability[],
  plugin = "plugin",
) {
  const ran: string[] = [];
  const caller: Caller = {
    plugin,
    grants: new Map(granted.map((capability) => [capability, null])),
    requested: new Set(requested),
    optional: new Set(),
    withheld: new Set(),
  };
  const isOwn = (name: string): boolean => name.startsWith("kv.");
  const noted = methods.map((method): Method => ({
    ...method,
    run: async (...call) => {
      ran.push(method.name);
      return isOwn(method.name) ? method.run(...call) : "done";
    },
  }));
  const broker = makeBroker({
    methods: noted,
    callerOf: () => caller,
    audit: { append() {} },
    pluginLogs: { append: () => 0 },
    quota: () => DEFAULT_QUOTA,
    clock: systemClock,
    log: silentLog,
  });
  const door = broker.doorFor(plugin);
  return { ran, invoke: (method: string, params: unknown) => door.invoke(method, params) };
}
