/** Images from folders, on the real engine: what goes in, what is said, what is refused, and that nothing stays. */
import { afterEach, beforeAll, describe, expect, test } from "bun:test";
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { systemClock } from "../../../../src/base/clock.ts";
import { isVoxError, type VoxError } from "../../../../src/base/errors.ts";
import { makeDockerProvider } from "../../../../src/engine/providers/docker/provider.ts";
import type { InstanceSpec } from "../../../../src/engine/providers/provider.ts";
import { ensureTestImage, TEST_IMAGE } from "../../../fixtures/docker-image.ts";
import { instanceSpec } from "../../../fixtures/instance-spec.ts";
import { rejection } from "../../../fixtures/rejection.ts";
import { needs, tempDir, until } from "../../../harness.ts";

const docker = makeDockerProvider({ endpoint: { socketPath: "/var/run/docker.sock" }, clock: systemClock });
const owner = `test-${crypto.randomUUID()}`;
const service = `built-${crypto.randomUUID().slice(0, 8)}`;

interface Built {
  readonly image: string;
  readonly said: readonly string[];
}

function folder(files: Readonly<Record<string, string>>): string {
  const dir = tempDir().path;
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(dir, path)), { recursive: true });
    writeFileSync(join(dir, path), text);
  }
  return dir;
}

function specOf(directory: string, changes: Partial<InstanceSpec> = {}): InstanceSpec {
  return instanceSpec({
    owner,
    service,
    directory,
    build: { dockerfile: "Dockerfile", args: {} },
    ...changes,
  });
}

async function build(
  directory: string,
  changes: Partial<InstanceSpec> = {},
  signal = new AbortController().signal,
): Promise<Built> {
  const said: string[] = [];
  const progress = (text: string): void => void said.push(text);
  return { image: await docker.prepare(specOf(directory, changes), { signal, progress }), said };
}

async function contentOf(image: string, command: readonly string[]): Promise<string> {
  const spec = instanceSpec({ owner, service, image, command: ["sh", "-c", "sleep 60"] });
  await docker.create(spec, { signal: new AbortController().signal, progress() {} });
  await docker.start(spec.id);
  let text = "";
  await docker.exec(spec.id, {
    command,
    stdin: undefined,
    signal: new AbortController().signal,
    output: async (_stream, bytes) => void (text += Buffer.from(bytes).toString()),
  });
  await docker.destroy(spec.id);
  return text;
}

async function refusal(work: Promise<unknown>): Promise<VoxError> {
  const error = await rejection(work);
  if (isVoxError(error)) return error;
  throw error;
}

function imagesOf(label: string): string[] {
  const { stdout } = Bun.spawnSync(["docker", "images", "-q", "--no-trunc", "--filter", `label=${label}`]);
  return [...new Set(stdout.toString().trim().split("\n").filter(Boolean))];
}

const FROM = `FROM ${TEST_IMAGE}\n`;

describe.skipIf(!needs("docker"))("a folder with a Dockerfile", () => {
  beforeAll(async () => {
    await ensureTestImage();
  });

  afterEach(async () => {
    for (const id of await docker.list(owner)) await docker.destroy(id);
    await docker.builds?.prune(owner, service, new Set());
    expect(imagesOf(`voxeltron.owner=${owner}`)).toEqual([]);
  });

  test("becomes an image, with its files, modes, links and arguments; what .dockerignore names stays out", async () => {
    const dir = folder({
      Dockerfile: `${FROM}ARG STAGE=none\nCOPY . /app\nRUN echo "$STAGE" > /app/stage\n`,
      ".dockerignore": "secret\nlogs/*.log\n!logs/keep.log\nnode_modules\n",
      run: "#!/bin/sh\n",
      secret: "hidden",
      "logs/a.log": "a",
      "logs/keep.log": "keep",
      "node_modules/x/index.js": "x",
      "src/node_modules/kept": "only the one at the top is meant",
    });
    chmodSync(join(dir, "run"), 0o755);
    symlinkSync("run", join(dir, "link"));
    const { image, said } = await build(dir, {
      build: { dockerfile: "Dockerfile", args: { STAGE: "live" } },
    });

    expect(image).toMatch(/^sha256:[0-9a-f]{64}$/);
    const listed = await contentOf(image, ["find", "/app", "-type", "f", "-o", "-type", "l"]);
    expect(listed.trim().split("\n").toSorted()).toEqual(
      [".dockerignore", "Dockerfile", "link", "logs/keep.log", "run", "src/node_modules/kept", "stage"].map(
        (path) => `/app/${path}`,
      ),
    );
    expect(
      await contentOf(image, ["sh", "-c", "cat /app/stage; stat -c %a /app/run; readlink /app/link"]),
    ).toBe("live\n755\nrun\n");
    expect(said).toContainEqual(`1 of 6: FROM ${TEST_IMAGE}`);
    expect(said[0]).toMatch(/^sending 6 files/);
  });

  test("may have it elsewhere in the folder, with a list of its own of what stays out", async () => {
    const dir = folder({
      "deploy/app.Dockerfile": `${FROM}COPY . /app\n`,
      "deploy/app.Dockerfile.dockerignore": "left-out\n",
      ".dockerignore": "kept\n",
      kept: "",
      "left-out": "",
    });
    const { image } = await build(dir, { build: { dockerfile: "deploy/app.Dockerfile", args: {} } });
    expect(await contentOf(image, ["ls", "/app"])).toBe("deploy\nkept\n");
  });

  test("is not built again where the image is there, and is where it is not", async () => {
    const dir = folder({ Dockerfile: `${FROM}COPY word /word\n`, word: "first" });
    const first = await build(dir);
    writeFileSync(join(dir, "word"), "second");
    expect(await build(dir, { image: first.image })).toEqual({ image: first.image, said: [] });
    const other = await build(dir, { image: `sha256:${"0".repeat(64)}` });
    expect(other.image).not.toBe(first.image);
    expect(await contentOf(other.image, ["cat", "/word"])).toBe("second");
  });

  test("that does not build says what the failing step said", async () => {
    const failing = folder({
      Dockerfile: `${FROM}RUN echo so far so good && echo then this >&2 && exit 3\n`,
    });
    const error = await refusal(build(failing));
    expect(error).toMatchObject({ code: "deploy.build_failed" });
    expect(error.message).toContain("returned a non-zero code: 3");
    expect(error.details["logs"]).toEqual(
      expect.arrayContaining(["so far so good", "then this", expect.stringContaining("non-zero code: 3")]),
    );

    const misspelled = folder({ Dockerfile: `${FROM}RNU echo\n` });
    expect((await refusal(build(misspelled))).message).toMatch(/unknown instruction: RNU/i);
    const absent = folder({ Dockerfile: "FROM no-such-host.invalid/none:1\n" });
    expect((await refusal(build(absent))).code).toMatch(/^deploy\.|^provider\./);
    expect(imagesOf(`voxeltron.owner=${owner}`)).toEqual([]);
  });

  test("whose build is cancelled ends, and so does what ran in it", async () => {
    const mark = crypto.randomUUID();
    const dir = folder({ Dockerfile: `${FROM}RUN echo ${mark} && sleep 300\n` });
    const control = new AbortController();
    const said: string[] = [];
    const progress = (text: string): void => {
      said.push(text);
      if (text === mark) control.abort(new Error("enough"));
    };
    const work = docker.prepare(specOf(dir), { signal: control.signal, progress });
    expect(await rejection(work)).toMatchObject({ message: "enough" });
    const running = () =>
      Bun.spawnSync(["docker", "ps", "-q", "--no-trunc", "--format", "{{.Command}}"]).stdout.toString();
    await until(() => (running().includes(mark) ? undefined : true));
  });

  test("keeps its image while a version needs it, and loses all others", async () => {
    const images: string[] = [];
    for (const word of ["one", "two", "three"])
      images.push((await build(folder({ Dockerfile: `${FROM}LABEL word=${word}\n` }))).image);
    const [one = "", two = "", three = ""] = images;
    await docker.builds?.prune(owner, service, new Set([two, three]));
    expect(imagesOf(`voxeltron.owner=${owner}`).toSorted()).toEqual([two, three].toSorted());
    await docker.builds?.prune(owner, "another-service", new Set());
    expect(imagesOf(`voxeltron.owner=${owner}`)).toHaveLength(2);
    expect(one).not.toBe("");
  });

  test("without one is refused before anything is sent", () => {
    expect(() => docker.check(instanceSpec({ directory: "/somewhere" }))).toThrow(
      "found a folder without a Dockerfile",
    );
    expect(() => docker.check(instanceSpec())).toThrow("the provider docker runs images, found none");
  });
});
