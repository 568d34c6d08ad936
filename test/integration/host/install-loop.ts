/** Installs one version of a plugin after the other until it is killed. Run by install-kill.test.ts: `install-loop.ts DATA_DIR`. */
import { loopVersions, versionOf } from "./install-versions.ts";
import { installSample, makeWorld } from "./world.ts";

const world = makeWorld(process.argv[2] ?? "");
await world.plugins.sweep();
for (let round = 0; ; round++) {
  await installSample(world, versionOf(loopVersions[round % loopVersions.length] ?? "1.0.0"));
  if (round === 0) process.stdout.write("begun\n");
}
