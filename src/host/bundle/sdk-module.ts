/** `@voxeltron/sdk` as a plugin's code sees it when it imports a value: the SDK's tables and helpers, as one module's text. */
import { CAPABILITIES, HOOKS, METRICS } from "../../sdk/index.ts";

export const SDK_MODULE = `
export const CAPABILITIES = ${JSON.stringify(CAPABILITIES)};
export const CAPABILITY_NAMES = Object.keys(CAPABILITIES);
export const isCapability = (name) => Object.hasOwn(CAPABILITIES, name);
export const HOOKS = ${JSON.stringify(HOOKS)};
export const HOOK_NAMES = Object.keys(HOOKS);
export const isHookName = (name) => Object.hasOwn(HOOKS, name);
export const METRICS = ${JSON.stringify(METRICS)};
export const METRIC_NAMES = Object.keys(METRICS);
export const isMetric = (name) => Object.hasOwn(METRICS, name);
export const definePlugin = (plugin) => plugin;
`;
