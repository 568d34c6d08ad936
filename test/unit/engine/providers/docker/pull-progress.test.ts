import { expect, test } from "bun:test";
import { makePullProgress } from "../../../../../src/engine/providers/docker/pull-progress.ts";

test("layers are counted and bytes become per cent", () => {
  const note = makePullProgress("nginx:1");
  expect(note({ status: "Pulling from library/nginx", id: "1" })).toBeUndefined();
  expect(note({ status: "Pulling fs layer", id: "a" })).toEqual({
    text: "pulling nginx:1: 0 of 1 layers",
    percent: undefined,
  });
  note({ status: "Already exists", id: "b" });
  expect(note({ status: "Downloading", id: "a", progressDetail: { current: 50, total: 200 } })?.percent).toBe(
    25,
  );
  expect(note({ status: "Download complete", id: "a" })?.percent).toBe(100);
  expect(note({ status: "Pull complete", id: "a" })?.text).toBe("pulling nginx:1: 2 of 2 layers");
  expect(note({ status: "Digest: sha256:abc" })).toBeUndefined();
});

test("the same news is not told twice", () => {
  const note = makePullProgress("nginx:1");
  const event = { status: "Downloading", id: "a", progressDetail: { current: 50, total: 10_000 } };
  expect(note(event)).toBeDefined();
  expect(note(event)).toBeUndefined();
  expect(note({ ...event, progressDetail: { current: 51, total: 10_000 } })).toBeUndefined();
});
