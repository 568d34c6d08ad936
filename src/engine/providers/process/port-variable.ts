/**
 * The variable that tells a program of its port, where nothing leads from one port to another. Pure. Called by run-plan.ts, and by
 * workspaces/parse-ports.ts, because no two ports may share one.
 */
export function portVariable(key: string): string {
  return `PORT_${key.toUpperCase().replaceAll("-", "_")}`;
}
