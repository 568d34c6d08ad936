/** The files that can be part of a plugin's code, by their ending, and how each is read. Nothing else is given to the bundler. */

export type SourceLoader = "js" | "jsx" | "ts" | "tsx" | "json" | "text";

/** Undefined where a file of that name can't be imported. */
export function sourceLoader(path: string): SourceLoader | undefined {
  const ending = /\.[^./]+$/.exec(path)?.[0] ?? "";
  return Object.hasOwn(LOADERS, ending) ? LOADERS[ending] : undefined;
}

export const SOURCE_ENDINGS_TEXT = ".ts .tsx .mts .cts .js .jsx .mjs .cjs .json .txt .md .html";

// --- internal ---

const LOADERS: Readonly<Record<string, SourceLoader>> = {
  ".ts": "ts",
  ".tsx": "tsx",
  ".mts": "ts",
  ".cts": "ts",
  ".js": "js",
  ".jsx": "jsx",
  ".mjs": "js",
  ".cjs": "js",
  ".json": "json",
  ".txt": "text",
  ".md": "text",
  ".html": "text",
};
