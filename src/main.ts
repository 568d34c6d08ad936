/**
 * The one entry point: picks the role by the first word and loads only what that role needs. The command line must not pay
 * for the daemon.
 */
const [role, ...rest] = process.argv.slice(2);

if (role === "__bundle") {
  const { runBundleRole } = await import("./host/bundle/bundle-role.ts");
  await runBundleRole();
} else if (role === "__plugin") {
  const { runPluginRole } = await import("./host/runtimes/process/child/plugin-role.ts");
  await runPluginRole(rest);
} else if (role === "__confine") {
  const { runConfineRole } = await import("./platform/confine/launcher.ts");
  runConfineRole(rest);
} else {
  const { runCli } = await import("./cli/main.ts");
  const { processIo } = await import("./cli/process-io.ts");
  await runCli(role === undefined ? [] : [role, ...rest], processIo(), async (flags) => {
    const { runDaemon } = await import("./daemon/run.ts");
    const { serve } = await import("./api/serve.ts");
    await runDaemon({ flags, environment: process.env, serve });
  });
}
