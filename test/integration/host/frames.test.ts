/** Frames between two processes: one end on the event loop, the other blocking. */
import { expect, test } from "bun:test";
import { join } from "node:path";
import { FRAME_BYTES_MAX, frameText } from "../../../src/host/frames/frame.ts";
import { openFrameSocket } from "../../../src/host/frames/frame-socket.ts";
import { until } from "../../harness.ts";
import { longestGap } from "../../outcome.ts";

const ECHO = join(import.meta.dir, "../../fixtures/frame-echo.ts");

function openEcho(mode: "wait" | "lie" | "flood" | "echo") {
  const child = Bun.spawn([process.execPath, ECHO, mode], {
    stdio: ["pipe", "inherit", "inherit", "socket-fd"],
  });
  const got: string[] = [];
  const told = { closed: 0, tooLong: 0 };
  const socket = openFrameSocket(child.stdio[3] as unknown as number, {
    frame: (bytes) => void got.push(frameText(bytes) ?? "not UTF-8"),
    tooLong: () => void told.tooLong++,
    closed: () => void told.closed++,
  });
  return {
    child,
    got,
    told,
    socket,
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      socket.close();
      await child.exited;
    },
  };
}

test("frames of all sizes come back as they were, in order", async () => {
  await using echo = openEcho("echo");
  const texts = ["", "a", "ü€😀", "x".repeat(300_000), "y".repeat(FRAME_BYTES_MAX), "z"];
  for (const text of texts) echo.socket.sendText(text);
  echo.socket.sendBytes(new TextEncoder().encode("bytes"));
  await until(() => echo.got.length === texts.length + 1, { what: "all frames", timeoutMs: 10_000 });
  expect(echo.got.map((text) => text.length)).toEqual([...texts, "bytes"].map((text) => text.length));
  expect(echo.got.map((text) => text.slice(0, 5))).toEqual(
    [...texts, "bytes"].map((text) => text.slice(0, 5)),
  );
  expect(echo.socket.unread()).toBe(0);
});

test("what is sent at first is with the kernel at once", async () => {
  await using echo = openEcho("wait");
  echo.socket.sendText("hello");
  expect(echo.socket.unread()).toBe(0);
});

test("what the other end does not read is counted, waits, and goes when it does", async () => {
  await using echo = openEcho("wait");
  for (let i = 0; i < 50; i++) echo.socket.sendText(`${i}`.padEnd(100_000));
  await until(() => echo.socket.unread() < 5_000_000, { what: "what the kernel takes" });
  expect(echo.socket.unread()).toBeGreaterThan(4_000_000);
  void echo.child.stdin.write("\n");
  void echo.child.stdin.flush();
  await until(() => echo.got.length === 50, { what: "all frames", timeoutMs: 10_000 });
  expect(echo.got.map((text) => Number(text))).toEqual(Array.from({ length: 50 }, (_, i) => i));
  expect(echo.socket.unread()).toBe(0);
});

test("the end of the other side is told once, after all that it sent", async () => {
  await using echo = openEcho("flood");
  await until(() => echo.got.length > 0, { what: "the first frames", timeoutMs: 10_000 });
  const gap = await longestGap(async () => {
    await until(() => echo.got.length === 20_000, { what: "all frames", timeoutMs: 10_000 });
  });
  expect(gap).toBeLessThan(50);
  echo.child.kill("SIGKILL");
  await until(() => echo.told.closed > 0, { what: "the end" });
  expect(echo.got).toEqual(Array.from({ length: 20_000 }, (_, i) => `${i}`));
  echo.socket.close();
  echo.socket.sendText("nobody gets this");
  expect([echo.told.closed, echo.socket.unread()]).toEqual([1, 0]);
});

test("a length that is too large is told at once, and nothing after it is read", async () => {
  await using echo = openEcho("lie");
  await until(() => echo.told.tooLong > 0, { what: "the breach", timeoutMs: 10_000 });
  echo.socket.sendText("echoed, and not read");
  echo.child.kill("SIGKILL");
  await until(() => echo.told.closed > 0, { what: "the end" });
  expect(echo.told).toEqual({ closed: 1, tooLong: 1 });
  expect(echo.got).toEqual([]);
});

test("a descriptor that is none is an end like another", async () => {
  let closed = 0;
  const socket = openFrameSocket(100_000, { frame() {}, tooLong() {}, closed: () => void closed++ });
  socket.sendText("lost");
  await until(() => closed > 0, { what: "the end" });
  expect([closed, socket.unread()]).toEqual([1, 0]);
});
