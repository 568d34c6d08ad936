/**
 * The entry of the executable that attacks itself: the roles of the product that confinement needs, and those of the escape suite.
 * Compiled by compile.ts, so that what is attacked is a compiled executable.
 */
import * as ffi from "bun:ffi";
import { writeFileSync } from "node:fs";
import { attackOnOrder } from "./attacker.ts";
import { makeKernel } from "./kernel.ts";
import { standIn, type StandInNeeds } from "./stand-in.ts";

const [name = "", ...rest] = process.argv.slice(2);

const roles: Readonly<Record<string, () => void | Promise<void>>> = {
  async __confine() {
    const { runConfineRole } = await import("../../../src/platform/confine/launcher.ts");
    runConfineRole(rest);
  },
  async __attack() {
    const kernel = makeKernel(ffi);
    const { sealProcess } = await import("../../../src/platform/confine/seal.ts");
    if (rest[0] !== "unsealed") sealProcess();
    await attackOnOrder(kernel);
  },
  "__stand-in": () =>
    standIn(makeKernel(ffi), JSON.parse(process.env["VOXELTRON_TEST_SECRET"] ?? "") as StandInNeeds),
  __as: () => becomeUser(Number(rest[0]), rest.slice(1)),
  __touch: () => writeFileSync(rest[0] ?? "", ""),
};

const role = roles[name];
if (role === undefined) throw new Error(`no role is called ${name}`);
await role();

/** Executes this program again as an ordinary user, with all its threads. */
function becomeUser(uid: number, words: readonly string[]): void {
  const kernel = makeKernel(ffi);
  kernel.call("setgroups", 0, 0);
  kernel.call("setresgid", uid, uid, uid);
  kernel.call("setresuid", uid, uid, uid);
  const list = (texts: readonly string[]) =>
    new BigUint64Array([...texts.map((text) => kernel.address(Buffer.from(`${text}\0`))), 0n]);
  const environment = Object.entries(process.env).map(([name, value]) => `${name}=${value}`);
  kernel.call("execve", "/proc/self/exe", list([process.execPath, ...words]), list(environment));
}
