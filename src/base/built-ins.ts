/**
 * What is compiled into voxeltron and stands beside the plugins in their list: its own providers. Not its reference plugins, which are
 * installed like any other. Read by the host and, without a daemon, by api/offline.ts.
 */
export interface BuiltIn {
  readonly name: string;
  readonly description: string;
}

export const BUILT_INS: readonly BuiltIn[] = [
  { name: "docker", description: "Runs services and workspaces as containers of a Docker engine" },
  { name: "process", description: "Runs services and workspaces as processes of this machine" },
];

export function isBuiltIn(name: string): boolean {
  return BUILT_INS.some((each) => each.name === name);
}
