/** The small web app that the demo deploys. It runs on whatever runs voxeltron. */
const version = process.env["GREETING"] ?? "hello";

Bun.serve({
  port: Number(process.env["PORT"] ?? 3000),
  hostname: "0.0.0.0",
  fetch: () => new Response(`${version} from a service of voxeltron\n`),
});
