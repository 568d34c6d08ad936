/** The alerts that there are without a rule. Pure data. */
export const BUILT_IN_ALERTS: readonly string[] = [
  "service-down",
  "restart-loop",
  "disk",
  "plugin",
  "notification-channel",
  "certificate-expiry",
];
