/**
 * Makes the executable: `bun run build [--target bun-linux-arm64]… [--outfile FILE]`. One file that holds the daemon, the
 * command line, the Worker, the guest engine and the reference plugins.
 */
import { mkdirSync } from "node:fs";
import { parseArgs } from "node:util";
import { makeGuestWasm } from "./scripts/guest-wasm/main.ts";

/**
 * Parts of dockerode that voxeltron never uses (SSH, BuildKit); with them the command line starts ten times slower. And of acme-client
 * a second library for cryptography, and what its HTTP client needs to be one: in its place stands the daemon's own.
 */
const UNUSED =
  /^(ssh2|@grpc\/grpc-js|@grpc\/proto-loader|protobufjs|node-forge|form-data|follow-redirects|proxy-from-env)$/;

const { values } = parseArgs({
  options: { target: { type: "string", multiple: true }, outfile: { type: "string" } },
});

await makeGuestWasm();
mkdirSync("dist", { recursive: true });
for (const target of values.target ?? [undefined]) {
  const outfile =
    values.outfile ??
    (target === undefined ? "dist/voxeltron" : `dist/voxeltron-${target.replace("bun-", "")}`);
  await compile(outfile, target);
}

async function compile(outfile: string, target: string | undefined): Promise<void> {
  const result = await Bun.build({
    entrypoints: ["src/main.ts", "src/host/runtimes/js-worker/worker.ts"],
    root: "src",
    target: "bun",
    // Roles load only their own part: the command line must not parse the daemon. Bytecode spares the rest of the parsing.
    splitting: true,
    bytecode: true,
    format: "esm",
    minify: true,
    sourcemap: "none",
    plugins: [{ name: "leave-out-unused", setup: leaveOutUnused }],
    compile: {
      outfile,
      ...(target === undefined ? {} : { target: target as Bun.Build.CompileTarget }),
      autoloadDotenv: false,
      autoloadBunfig: false,
      execArgv: ["--disallow-code-generation-from-strings"],
    },
  });
  for (const log of result.logs) process.stderr.write(`${log.message}\n`);
  if (!result.success) process.exitCode = 1;
  else process.stdout.write(`${outfile}\n`);
}

/** A stub that says its name when something does call it. What is taken out of it is the stub again: libraries look around as they load. */
function leaveOutUnused(build: Bun.PluginBuilder): void {
  build.onResolve({ filter: UNUSED }, ({ path }) => ({ path, namespace: "unused" }));
  build.onLoad({ filter: /.*/, namespace: "unused" }, ({ path }) => ({
    loader: "js",
    contents: `const absent = () => { throw new Error(${JSON.stringify(`${path} is not part of voxeltron`)}) };
const stub = new Proxy(absent, { get: (_, key) => (key === "__esModule" ? false : typeof key === "symbol" ? undefined : stub) });
module.exports = stub;`,
  }));
}
