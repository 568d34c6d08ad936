/**
 * From a folder with a Dockerfile to a service, through the compiled program: built, deployed again, broken, gone back, while somebody
 * asks it all the time; and after its end no container and no image of it are left.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { ensureTestImage, TEST_IMAGE } from "../fixtures/docker-image.ts";
import { freePort, needs } from "../harness.ts";
import { makeMachine } from "./machine.ts";

interface Status {
  readonly version: number;
  readonly address: string;
  readonly versions: readonly { readonly version: number; readonly isLive: boolean }[];
}

describe.skipIf(!needs("docker"))("a folder with a Dockerfile", () => {
  const machine = makeMachine("");
  const service = `shop-${process.pid}`;
  const dockerfile = (command: string) =>
    `FROM ${TEST_IMAGE}\nARG WORD=unset\nCOPY page /www/index.html\nRUN echo "$WORD" >> /www/index.html\nCMD ${JSON.stringify(command.split(" "))}\n`;
  const SERVE = "httpd -f -p 80 -h /www";
  const source = (page: string, command = SERVE) =>
    machine.write("shop", { page: `${page}\n`, Dockerfile: dockerfile(command), ".dockerignore": "*.md\n" });
  const deploy = (...more: readonly string[]) =>
    machine.cli("deploy", service, "--path", source(...(more.slice(0, 2) as [string])), ...more.slice(2));

  beforeAll(async () => {
    await ensureTestImage();
    await machine.start();
  });
  afterAll(async () => {
    await machine.cli("remove", service, "--yes");
    await machine[Symbol.asyncDispose]();
  });

  test("is deployed, replaced and gone back to, and answers all the while", async () => {
    const first = await deploy(
      "one",
      SERVE,
      "--port",
      "80",
      "--publish",
      `127.0.0.1:${freePort()}`,
      "--build-arg",
      "WORD=a",
    );
    expect(first.status, first.stderr).toBe(0);
    const status = () => machine.json<Status>("status", service);
    const { address } = await status();
    const page = async () => (await fetch(`http://${address}/`, { keepalive: false })).text();
    expect(await page()).toBe("one\na\n");

    const answers = new Set<string>();
    let asked = 0;
    const enough = new AbortController();
    const asker = (async () => {
      while (!enough.signal.aborted) {
        answers.add(await page());
        asked++;
      }
    })();
    expect((await deploy("two", SERVE)).status).toBe(0);
    expect(await page()).toBe("two\nunset\n");
    const broken = await deploy("three", "no-such-program");
    expect(broken.status).not.toBe(0);
    const failing = await machine.cli(
      "deploy",
      service,
      "--path",
      machine.write("bad", { Dockerfile: `FROM ${TEST_IMAGE}\nRUN echo why it fails && false\n` }),
    );
    expect([failing.status, failing.stderr]).toEqual([1, expect.stringContaining("why it fails")]);
    expect(await page()).toBe("two\nunset\n");

    expect((await machine.cli("rollback", service)).stdout).toMatch(/version 5 runs/);
    expect(await page()).toBe("one\na\n");
    enough.abort();
    await asker;
    expect([...answers].toSorted()).toEqual(["one\na\n", "two\nunset\n"]);
    expect(asked).toBeGreaterThan(10);
    expect((await status()).versions.map(({ version, isLive }) => [version, isLive])).toEqual([
      [5, true],
      [2, false],
      [1, false],
    ]);
  });

  test("leaves nothing when its service is removed", async () => {
    const images = () =>
      Bun.spawnSync([
        "docker",
        "images",
        "-q",
        "--filter",
        `label=voxeltron.service=${service}`,
      ]).stdout.toString();
    expect(images()).not.toBe("");
    expect((await machine.cli("remove", service, "--yes")).status).toBe(0);
    expect(images()).toBe("");
  });
});
