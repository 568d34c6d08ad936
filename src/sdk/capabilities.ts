/** The nine named powers, their risk and their words. The consent prompt, the docs and the broker all read this table. */

export type Risk = "Low" | "Medium" | "High";

export interface CapabilityInfo {
  readonly risk: Risk;
  readonly summary: string;
}

export const CAPABILITIES = {
  fs_read: { risk: "Low", summary: "Read files in the Voxeltron data dir" },
  fs_write: { risk: "Medium", summary: "Write files in the Voxeltron data dir" },
  network_outbound: { risk: "Medium", summary: "Make outbound HTTP/TCP calls" },
  docker_read: { risk: "Low", summary: "Read container state and metadata" },
  docker_write: { risk: "High", summary: "Create/stop/modify containers" },
  secrets_read: { risk: "High", summary: "Read decrypted environment variable values" },
  metrics_read: { risk: "Low", summary: "Read service metrics" },
  logs_read: { risk: "Low", summary: "Read service logs" },
  notify_send: { risk: "Medium", summary: "Send alerts (email, Slack, webhook)" },
} as const satisfies Record<string, CapabilityInfo>;

/** A named power that an operator grants to a plugin at install. */
export type Capability = keyof typeof CAPABILITIES;

export const CAPABILITY_NAMES = Object.keys(CAPABILITIES) as readonly Capability[];

export function isCapability(name: string): name is Capability {
  return Object.hasOwn(CAPABILITIES, name);
}
