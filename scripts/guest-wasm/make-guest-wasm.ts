/**
 * Makes the guest engine: QuickJS's WebAssembly with fuel checks in it, and the prelude, bundled to one script, in a section of its
 * own. One file, so that engine and prelude can't be of different builds. Called by build.ts and by main.ts beside this file.
 */
import { rename } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { PRELUDE_SECTION } from "../../src/host/runtimes/js-worker/prelude-section.ts";
import { instrumentWasm } from "./instrument-wasm.ts";
import { makeWasmWriter, nameBytes } from "./wasm-binary.ts";

/** Writes the engine to `outFile` unless what is there was made from the same inputs. True where it was written. */
export async function makeGuestWasm(outFile: string = GUEST_WASM): Promise<boolean> {
  const [engine, prelude] = await Promise.all([readEngine(), bundlePrelude()]);
  const digest = await digestInputs(engine, prelude);
  if ((await readDigest(outFile)) === digest) return false;
  const out = makeWasmWriter().add(instrumentWasm(engine, { interval: FUEL_INTERVAL }).bytes);
  addSection(out, PRELUDE_SECTION, prelude);
  addSection(out, DIGEST_SECTION, digest);
  const half = `${outFile}.${process.pid}.half`;
  await Bun.write(half, out.join());
  await rename(half, outFile);
  return true;
}

// --- internal ---

const RUNTIMES_FOLDER = join(import.meta.dir, "../../src/host/runtimes");

/** The prelude as one script whose value is its exports. */
async function bundlePrelude(): Promise<string> {
  const built = await Bun.build({
    entrypoints: [join(RUNTIMES_FOLDER, "js/prelude/main.ts")],
    target: "browser",
    format: "cjs",
    minify: true,
    env: "disable",
  });
  const code = await built.outputs[0]!.text();
  return `(function(){var module={exports:{}},exports=module.exports;${code}\nreturn module.exports})()`;
}

const GUEST_WASM = join(RUNTIMES_FOLDER, "js-worker/quickjs.generated.wasm");
const DIGEST_SECTION = "voxeltron.digest";
/** Checks between two looks at the clock: about 0.1 to 0.2 ms of guest time. */
const FUEL_INTERVAL = 1 << 16;

async function readEngine(): Promise<Uint8Array<ArrayBuffer>> {
  const file = fileURLToPath(import.meta.resolve("@jitl/quickjs-wasmfile-release-sync/wasm"));
  return new Uint8Array(await Bun.file(file).arrayBuffer());
}

async function digestInputs(engine: Uint8Array, prelude: string): Promise<string> {
  const hash = new Bun.CryptoHasher("sha256").update(engine).update(prelude);
  for (const name of [...new Bun.Glob("*.ts").scanSync(import.meta.dir)].toSorted()) {
    hash.update(await Bun.file(join(import.meta.dir, name)).bytes());
  }
  return hash.digest("hex");
}

async function readDigest(file: string): Promise<string | undefined> {
  if (!(await Bun.file(file).exists())) return undefined;
  // The section comes last: 64 hex digits at the end of the file.
  return (await Bun.file(file).text()).slice(-64);
}

function addSection(out: ReturnType<typeof makeWasmWriter>, name: string, text: string): void {
  const body = makeWasmWriter().add(nameBytes(name)).add(new TextEncoder().encode(text));
  out.add([0]).addUnsigned(body.length).addAll(body);
}
