/** How much room the disk has that holds a folder. */
import { statfs } from "node:fs/promises";
import { walk, type Names } from "./folder.ts";
import { fileProblem } from "./problem.ts";

export interface Space {
  /** Bytes that this user may still write. */
  readonly free: number;
  readonly size: number;
}

export async function freeSpace(root: string, names: Names): Promise<Space> {
  using folder = walk(root, names);
  try {
    const { bavail, blocks, bsize } = await statfs(folder.self);
    return { free: bavail * bsize, size: blocks * bsize };
  } catch (error) {
    throw fileProblem(error, names);
  }
}
