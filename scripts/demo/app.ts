/** The small web app that the demo deploys. It runs on whatever runs voxeltron. With BROKEN set it does not start. */
if (process.env["BROKEN"] !== undefined) {
  console.error("this version does not start: BROKEN is set");
  process.exit(1);
}
const version = process.env["GREETING"] ?? "hello";

Bun.serve({
  port: Number(process.env["PORT"] ?? 3000),
  hostname: "0.0.0.0",
  fetch: () => new Response(`${version} from a service of voxeltron\n`),
});
