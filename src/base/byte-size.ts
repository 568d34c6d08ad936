/** Sizes as the configuration writes them: "512 MiB", "2GiB", "4096". */

/** Bytes, or undefined where the text is no size. */
export function parseByteSize(text: string): number | undefined {
  const [, number, unit = "B"] = /^(\d{1,16})(?: ?(B|KiB|MiB|GiB|TiB))?$/.exec(text) ?? [];
  const bytes = Number(number) * 1024 ** UNITS.indexOf(unit);
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

// --- internal ---

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB"];
