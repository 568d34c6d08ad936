/** The data of an alert whose message is a command to the test's own plugin. */
export function alertEvent(message: string) {
  return {
    name: "x",
    state: "firing",
    metric: "x",
    value: 1,
    threshold: 1,
    since: "2026-01-01T00:00:00Z",
    message,
  };
}
