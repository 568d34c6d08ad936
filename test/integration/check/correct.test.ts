/** Plugins that are as they should be: the check finds nothing, in any language, and says so where there is something to know. */
import { beforeAll, describe, expect, test } from "bun:test";
import { cpSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { makeGuestWasm } from "../../../scripts/guest-wasm/make-guest-wasm.ts";
import {
  documentedExecutable,
  documentedProvider,
  type DocumentedLanguage,
} from "../../fixtures/documented-executables.ts";
import { documentedPlugin } from "../../fixtures/documented-plugin.ts";
import { ensureTestImage } from "../../fixtures/docker-image.ts";
import { SAMPLE_LANGUAGES, sampleProvider } from "../../fixtures/provider-samples.ts";
import { needs, tempDir } from "../../harness.ts";
import { ownModule } from "../../wasm/modules.ts";
import { leftIn, runCheck, writePlugin, type CheckRun } from "./checked.ts";

const ROOT = join(import.meta.dir, "../../..");
const CHECKED = join(ROOT, "test/fixtures/checked");
const LONGEST_MS = 120_000;

beforeAll(async () => void (await makeGuestWasm()), LONGEST_MS);

/** What was said that is no praise. */
function complaints({ report }: CheckRun): string[] {
  return report.results
    .filter(({ outcome }) => outcome !== "passed")
    .map(
      ({ outcome, check, subject = "", found, note = "" }) =>
        `${outcome} ${check} ${subject}: ${found ?? note}`,
    );
}

async function checked(folder: string, args?: readonly string[], home?: string): Promise<CheckRun> {
  await using dir = tempDir();
  const ran = await runCheck(folder, dir.path, args, undefined, home);
  expect(leftIn(dir.path)).toEqual([]);
  return ran;
}

describe.skipIf(!needs("linux"))("a provider that keeps its state in a folder", () => {
  test.skipIf(!needs("python3"))(
    "in Python passes, with all optional actions and real processes",
    async () => {
      const ran = await checked(join(CHECKED, "provider-python"));
      expect(complaints(ran)).toEqual([]);
      expect(ran.report).toMatchObject({ ok: true, installable: true, kind: "provider", ran: true });
      expect(ran.report.counts.passed).toBeGreaterThan(40);
      expect(ran.status).toBe(0);
    },
    LONGEST_MS,
  );

  test(
    "in shell passes",
    async () => {
      const ran = await checked(join(CHECKED, "provider-shell"));
      expect([complaints(ran), ran.status]).toEqual([[], 0]);
    },
    LONGEST_MS,
  );

  test(
    "as a Bun script passes",
    async () => {
      await using dir = tempDir();
      const folder = join(dir.path, "plugin");
      cpSync(join(CHECKED, "provider-bun"), folder, { recursive: true });
      process.env["PATH"] = `${dirname(process.execPath)}:${process.env["PATH"] ?? ""}`;
      const ran = await checked(folder);
      expect([complaints(ran), ran.status]).toEqual([[], 0]);
    },
    LONGEST_MS,
  );
});

describe.skipIf(!needs("linux"))("the devbox plugin API's own example", () => {
  for (const language of SAMPLE_LANGUAGES) {
    test(
      `in ${language} passes with warnings: it says running of everything`,
      async () => {
        const folder = sampleProvider(language, "minimal");
        if (folder === undefined) return;
        const ran = await checked(folder);
        const said = complaints(ran);
        expect(said).toContain("warning life.gone : running, as it says of everything");
        expect(said).toContain("warning order.start_missing : ok: true, without a result");
        expect(said.filter((line) => !/^warning .*(as it says of everything|ok: true)/.test(line))).toEqual(
          [],
        );
        expect([ran.report.ok, ran.status]).toEqual([true, 0]);
      },
      LONGEST_MS,
    );

    test(
      `in ${language} passes where it remembers what it did`,
      async () => {
        const folder = sampleProvider(language, "stateful");
        if (folder === undefined) return;
        const ran = await checked(folder);
        expect(complaints(ran).filter((line) => line.startsWith("failed"))).toEqual([]);
        expect([ran.report.ok, ran.status]).toEqual([true, 0]);
      },
      LONGEST_MS,
    );
  }
});

describe.skipIf(!needs("linux"))("the documentation's", () => {
  for (const language of ["sh", "python"] as const satisfies readonly DocumentedLanguage[])
    test.skipIf(language === "python" && !needs("python3"))(
      `executable in ${language} passes`,
      async () => {
        await using dir = tempDir();
        const ran = await checked(writePlugin(dir.path, documentedExecutable(language)));
        expect(complaints(ran).filter((line) => line.startsWith("failed"))).toEqual([]);
        expect([ran.report.ok, ran.report.kind, ran.status]).toEqual([true, "hook", 0]);
      },
      LONGEST_MS,
    );

  test.skipIf(!needs("python3"))(
    "provider passes, and says that it has no volumes",
    async () => {
      await using dir = tempDir();
      const ran = await checked(writePlugin(dir.path, documentedProvider()));
      expect(complaints(ran)).toEqual(["warning options.create : a box has no volumes"]);
      expect(ran.status).toBe(0);
    },
    LONGEST_MS,
  );

  test(
    "JavaScript plugin passes, and sends nothing anywhere",
    async () => {
      await using dir = tempDir();
      let asked = 0;
      using server = Bun.serve({
        port: 0,
        fetch() {
          asked++;
          return new Response();
        },
      });
      const files = documentedPlugin("https://hooks.slack.com/services/T0/B0/x");
      const ran = await checked(writePlugin(dir.path, files));
      expect(complaints(ran)).toEqual([
        "warning capabilities.used logs_read: no use of it with sample events",
      ]);
      expect(ran.report.capabilities).toContainEqual(
        expect.objectContaining({ capability: "notify_send", asked: "required", uses: 6, refused: 0 }),
      );
      // The same with a place of ours: it is refused as it would be, and nobody comes.
      const ours = await checked(writePlugin(join(dir.path, "ours"), documentedPlugin(server.url.href)));
      expect(ours.report.ok).toBe(false);
      expect(asked).toBe(0);
      expect((await fetch(server.url)).status).toBe(200);
      expect(asked).toBe(1);
    },
    LONGEST_MS,
  );
});

/** What a provider needs, and what it makes its instances from. */
const REFERENCE_PROVIDERS: Readonly<
  Record<string, { readonly needs: Parameters<typeof needs>[0]; readonly image?: () => Promise<string> }>
> = {
  podman: { needs: "podman", image: () => ensureTestImage("podman") },
  lxc: { needs: "lxc and its bridge" },
};

describe("a reference plugin", () => {
  for (const name of readdirSync(join(ROOT, "plugins"))) {
    const folder = join(ROOT, "plugins", name);
    const provider = REFERENCE_PROVIDERS[name];
    test.skipIf(provider !== undefined && !needs(provider.needs))(
      `${name} passes`,
      async () => {
        const image = await provider?.image?.();
        const ran = await checked(
          folder,
          ["--yes", ...(image === undefined ? [] : ["--image", image])],
          HOME,
        );
        const said = complaints(ran).filter((line) => !KNOWN.test(line));
        expect([said, ran.report.ran, ran.status]).toEqual([[], true, 0]);
      },
      3 * LONGEST_MS,
    );
  }
});

/** Where containers and their images are. */
const HOME = process.env["HOME"];
/** LXC's own limit, which its plugin says. */
const KNOWN = /^warning options\.create a variable of two lines: LXC can't/;

test.skipIf(!needs("compiled") || !needs("confinement"))(
  "a module is called in its room with what it asks for",
  async () => {
    await using dir = tempDir();
    const files = {
      "plugin.toml":
        '[plugin]\nname = "counter"\nversion = "1.0.0"\ntier = 1\n[capabilities]\nrequired = ["notify_send"]\n[hooks]\non_deploy_fail = true\n',
      "plugin.wasm": await ownModule("counter"),
    };
    const ran = await checked(writePlugin(dir.path, files));
    const unused = "warning capabilities.used notify_send: no use of it with sample events";
    expect(complaints(ran)).toEqual([unused]);
    expect(ran.report).toMatchObject({ ok: true, kind: "wasm", ran: true });
    const missing = { ...files, "plugin.toml": `${files["plugin.toml"]}on_alert = true\npre_start = true\n` };
    const broken = await checked(writePlugin(join(dir.path, "broken"), missing));
    expect(complaints(broken)).toEqual([
      "failed code.handlers on_alert: plugin.wasm has none",
      "failed code.handlers pre_start: plugin.wasm has none",
      unused,
    ]);
    expect(broken.status).toBe(7);
  },
  LONGEST_MS,
);
