/**
 * Ends a plugin's process once the daemon has let go of it, whatever the plugin still does: nobody would hear of it. There is no
 * output that could be cut. Called by plugin-role.ts, js-main.ts and daemon-line.ts.
 */
const exit = process.exit.bind(process); // before a plugin's world is made

export function endProcess(): never {
  return exit(0);
}
