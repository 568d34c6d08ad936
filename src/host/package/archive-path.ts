/**
 * Paths as they come out of an archive that a stranger made. Only plain relative paths pass, and only ones that mean
 * different files on every file system. Pure; used by walk-tar.ts.
 */
import { fail } from "../../base/errors.ts";
import { LIMITS } from "../../base/limits.ts";
import { quote } from "../../base/text.ts";

/** The plain path: without `./` in front and `/` at the end; empty for the folder itself. Throws `upload.invalid`. */
export function archivePath(name: string): string {
  const path = name.replace(/^(\.\/)+/, "").replace(/\/+$/, "");
  if (path === "" || path === ".") {
    if (name.startsWith("/")) throw refused(name, "is absolute");
    return "";
  }
  const rule = RULES.find((each) => each.breaks(path));
  if (rule !== undefined) throw refused(name, rule.says);
  return path;
}

/** Remembers the paths of one archive and refuses what can't live beside them. */
export function makePathSet(): PathSet {
  const seen = new Map<string, { readonly path: string; readonly kind: Kind }>();

  function put(path: string, kind: Kind, implied: boolean): void {
    const key = path.normalize("NFC").toLowerCase();
    const other = seen.get(key);
    if (other === undefined) {
      seen.set(key, { path, kind });
      return;
    }
    if (other.path !== path)
      throw refused(path, `differs from ${quote(other.path)} in upper and lower case only`);
    if (other.kind !== kind) throw refused(path, "is both a file and a folder");
    if (!implied && kind === "file") throw refused(path, "is in the archive twice");
  }

  return {
    add(path, kind) {
      const parts = path.split("/");
      for (let depth = 1; depth < parts.length; depth++) put(parts.slice(0, depth).join("/"), "folder", true);
      put(path, kind, false);
    },
  };
}

export interface PathSet {
  /** Throws `upload.invalid` for a path that is there already, in any spelling, or that is a file's child. */
  add(path: string, kind: Kind): void;
}

type Kind = "file" | "folder";

// --- internal ---

interface Rule {
  readonly breaks: (path: string) => boolean;
  readonly says: string;
}

const RULES: readonly Rule[] = [
  { breaks: (path) => path.startsWith("/"), says: "is absolute" },
  { breaks: (path) => /\p{Cc}/u.test(path), says: "has control characters" },
  { breaks: (path) => path.includes("\uFFFD"), says: "is not UTF-8" },
  { breaks: (path) => path.includes("\\"), says: "has a backslash" },
  { breaks: (path) => path.split("/").includes(".."), says: "leaves the folder" },
  {
    breaks: (path) => path.split("/").some((part) => part === "" || part === "."),
    says: "is not a plain path",
  },
  {
    breaks: (path) =>
      Buffer.byteLength(path) > LIMITS.uploadPathBytes ||
      path.split("/").some((part) => Buffer.byteLength(part) > 255),
    says: `is longer than ${LIMITS.uploadPathBytes} bytes, or one of its parts longer than 255`,
  },
];

function refused(path: string, says: string): Error {
  return fail("upload.invalid", `the path ${quote(path)} ${says}`);
}
